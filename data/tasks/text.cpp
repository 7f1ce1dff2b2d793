#include "data/tasks/text.h"

#include <algorithm>

namespace attend {

namespace {

class TextTask final : public RunningTextTask {
  public:
    explicit TextTask(RunningText text) : RunningTextTask("text", std::move(text)) {
        if (text_.context() == 0)
            return;
        text_.require_tokens(Split::train, text_.context() + 1, " = context + 1");
        text_.require_tokens(Split::valid, 2, "");
        text_.require_tokens(Split::test, 2, "");
    }

    int64_t size(Split s) const override { return count_windows(text_.tokens(s).size() - 1, text_.context()); }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return windows(text_.tokens(s), text_.context(), text_.order(), order);
    }
    std::vector<std::string> metrics() const override {
        if (text_.tokenizer().exact())
            return {"bits_per_byte", "accuracy"};
        return {"accuracy"};
    }
    std::string target_text(Split s, int64_t example) const override {
        require_example(s, example);
        const int64_t begin = example * text_.context() + 1;
        return text_.text(s, begin, std::min(text_.context(), text_.tokens(s).size() - begin));
    }
};

}  // namespace

std::unique_ptr<Task> text_task(const TextOptions& options, const TaskSetup& setup) {
    return std::make_unique<TextTask>(RunningText(options, setup, {}));
}

}  // namespace attend
