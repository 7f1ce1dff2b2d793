#include "data/tasks/text.h"

namespace attend {

namespace {

class TextTask final : public RunningTextTask {
  public:
    TextTask(const TextOptions& o, const TaskSetup& setup) : RunningTextTask("text", o, setup, {}) {
        if (context() == 0)
            return;
        require_tokens(Split::train, context() + 1, " = context + 1");
        require_tokens(Split::valid, 2, "");
        require_tokens(Split::test, 2, "");
    }

    int64_t size(Split s) const override { return count_windows(tokens(s).size() - 1, context()); }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return windows(tokens(s), context(), window_order(), order);
    }
    std::vector<std::string> metrics() const override {
        if (tokenizer().exact())
            return {"bits_per_byte", "accuracy"};
        return {"accuracy"};
    }
    std::string target_text(Split s, int64_t example) const override {
        return text_of(s, example, example * context() + 1, context());
    }
};

}  // namespace

std::unique_ptr<Task> text_task(const TextOptions& options, const TaskSetup& setup) {
    return std::make_unique<TextTask>(options, setup);
}

}  // namespace attend
