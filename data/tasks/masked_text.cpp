#include "data/tasks/masked_text.h"

#include <algorithm>

#include "data/masking.h"
#include "data/text/special_tokens.h"

namespace attend {

namespace {

// What a row is made of.
struct Form {
    Masking masking;
    int32_t begin = 0, end = 0;  // [CLS] and [SEP]
    bool pairs = false;
    int64_t context = 0;
    /// Ids of a row that are text.
    int64_t text() const { return context - (pairs ? 3 : 2); }
};

class MaskedBatches final : public Batches {
  public:
    MaskedBatches(const TokenIds& tokens, int64_t places, const Tokenizer& tokenizer, const Form& form, WindowOrder training,
                  const BatchOrder& order)
        : tokens_(tokens),
          tokenizer_(tokenizer),
          form_(form),
          plan_(tokens.size(), places, form.text(), training, order),
          training_(order.shuffled),
          // Evaluations hide the same words whatever the seed, so that runs are compared on the
          // same targets.
          key_(order.shuffled ? stream_key(order.seed, "masking") : stream_key(0, "masking.evaluation")) {}

    int64_t per_epoch() const override { return plan_.per_epoch(); }

    Batch at(int64_t number) override {
        const Array<TextWindow> windows = plan_.at(number);
        const auto rows = static_cast<int64_t>(windows.size());
        const int64_t around = form_.context - form_.text();
        Batch batch;
        batch.input = batch.target = Ids(rows, windows.front().length + around);
        std::fill(batch.target.values.begin(), batch.target.values.end(), id_ignored);
        if (form_.pairs) {
            batch.segments = Ids(rows, batch.input.columns);
            batch.labels.resize(windows.size());
        }
        for (int64_t r = 0; r < rows; ++r) {
            const TextWindow& w = windows[static_cast<std::size_t>(r)];
            const auto about = static_cast<uint64_t>(training_ ? number : w.example);
            RowDraws draws(key_, training_ ? static_cast<uint32_t>(r) : 0, static_cast<uint32_t>(about),
                           static_cast<uint32_t>(about >> 32));
            fill(batch, r, w, draws);
            batch.examples.push_back(w.example);
        }
        return batch;
    }

  private:
    void fill(Batch& batch, int64_t row, const TextWindow& w, RowDraws& draws) const {
        const auto r = static_cast<std::size_t>(row);
        int32_t* const input = &batch.input.at(row, 0);
        int64_t n = 0;
        std::array<Range, 2> texts{};
        const auto add_text = [&](Range& range, int64_t start, int64_t length) {
            range = {static_cast<int32_t>(n), static_cast<int32_t>(n + length)};
            tokens_.copy(start, length, input + n);
            n += length;
        };
        input[n++] = form_.begin;
        if (!form_.pairs) {
            add_text(texts[0], w.start, w.length);
            input[n++] = form_.end;
        } else {
            const int64_t least = std::max<int64_t>(1, w.length / 4);
            const int64_t first = least + draws.below(w.length - 2 * least + 1), second = w.length - first;
            int64_t start = w.start + first;
            batch.labels[r] = static_cast<int32_t>(draws.below(2));
            if (batch.labels[r] == 1) {
                const int64_t other = draws.below(tokens_.size() - second);  // of all starts but the right one
                start = other < start ? other : other + 1;
            }
            add_text(texts[0], w.start, first);
            input[n++] = form_.end;
            const int64_t boundary = n;
            add_text(texts[1], start, second);
            input[n++] = form_.end;
            std::fill(&batch.segments.at(row, 0) + boundary, &batch.segments.at(row, 0) + n, 1);
            batch.segments.lengths[r] = static_cast<int32_t>(n);
        }
        batch.input.lengths[r] = batch.target.lengths[r] = static_cast<int32_t>(n);
        const auto count = static_cast<std::size_t>(n);
        mask_tokens({input, count}, {&batch.target.at(row, 0), count}, texts, tokenizer_, form_.masking, draws);
    }

    const TokenIds& tokens_;
    const Tokenizer& tokenizer_;
    Form form_;
    WindowPlan plan_;
    bool training_;
    Key key_;
};

class MaskedTextTask final : public RunningTextTask {
  public:
    MaskedTextTask(const MaskedTextOptions& o, const TaskSetup& setup)
        : RunningTextTask("masked_text", o.text, setup, encoder_tokens) {
        form_.masking = {.share = o.mask_share, .whole_word = o.whole_word, .mask = *tokenizer().special(mask_name)};
        form_.pairs = o.next_sentence;
        form_.context = context();
        form_.begin = *tokenizer().special(begin_name);
        form_.end = *tokenizer().special(end_name);
        if (form_.context == 0)
            return;
        const int64_t least = form_.pairs ? 2 : 1;
        require(form_.text() >= least, "data.context: a window has no room for text: context {}, needed at least {}",
                form_.context, form_.context - form_.text() + least);
        require_tokens(Split::train, form_.text(), " for a window");
        for (Split s : {Split::valid, Split::test}) require_tokens(s, form_.pairs ? form_.text() : 1, " for a window");
    }

    int64_t size(Split s) const override { return form_.context > 0 ? count_windows(places(s), form_.text()) : 0; }
    TargetKind targets() const override { return TargetKind::masked; }
    int64_t classes() const override { return form_.pairs ? 2 : 0; }
    int64_t segments() const override { return form_.pairs ? 2 : 0; }
    std::string class_name(int32_t label) const override {
        require(label >= 0 && label < classes(), "masked_text: no such class: asked for {}, classes {}", label, classes());
        return label == 0 ? "next" : "random";
    }
    std::unique_ptr<Batches> batches(Split s, const BatchOrder& order) const override {
        return std::make_unique<MaskedBatches>(tokens(s), order.shuffled ? tokens(s).size() : places(s), tokenizer(), form_,
                                               window_order(), order);
    }
    std::vector<std::string> metrics() const override {
        if (form_.pairs)
            return {"accuracy", "label_accuracy"};
        return {"accuracy"};
    }
    std::string target_text(Split s, int64_t example) const override {
        return text_of(s, example, example * form_.text(), form_.text());
    }
    // "[MASK]" in a text is what is to be guessed.
    std::vector<int32_t> encode_prompt(std::string_view text, const Place& place) const override {
        std::vector<int32_t> ids;
        for (std::size_t begin = 0;;) {
            const std::size_t end = std::min(text.find(mask_name, begin), text.size());
            const auto part = tokenizer().encode(text.substr(begin, end - begin), place_of(text, begin, place));
            ids.insert(ids.end(), part.begin(), part.end());
            if (end == text.size())
                return ids;
            ids.push_back(form_.masking.mask);
            begin = end + std::string_view(mask_name).size();
        }
    }

  private:
    // Evaluation windows lie in these.
    int64_t places(Split s) const {
        const int64_t all = tokens(s).size();
        return form_.pairs ? all / form_.text() * form_.text() : all;
    }
    Form form_;
};

}  // namespace

std::unique_ptr<Task> masked_text_task(const MaskedTextOptions& options, const TaskSetup& setup) {
    return std::make_unique<MaskedTextTask>(options, setup);
}

}  // namespace attend
