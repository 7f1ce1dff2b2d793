// A text is written out as it grows: what stands after the last symbol that could still become a
// stop text, or the bytes of a character that is not whole yet, is held back.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <ostream>

#include "train/cli/cli.h"
#include "train/cli/input_lines.h"
#include "train/config/utf8.h"
#include "train/evaluate/decode/sampling.h"
#include "train/learn/restored.h"

namespace attend::cli {

namespace {

constexpr const char* input_name = "standard input";

struct GenerateArguments {
    std::string run;
    std::optional<std::string> prompt;
    std::string stop;
    int64_t samples = 1;
    GenerationOptions generation;
    std::optional<int64_t> seed;
};

// What one sample has written, and how much of it may be shown.
class Growing {
  public:
    // `before` is the symbol that the text goes on from.
    Growing(const Task& task, std::string stop, int32_t before) : task_(task), stop_(std::move(stop)), last_{before} {}

    // Adds a symbol; false when the stop text has appeared.
    bool add(int32_t id) {
        // What a symbol adds depends on the one before it alone (a blank between words), so the
        // whole is not decoded again.
        const std::size_t known = task_.decode_target(last_).size();
        last_.push_back(id);
        text_ += task_.decode_target(last_).substr(known);
        last_ = {id};
        if (stop_.empty())
            return true;
        const std::size_t from = seen_ < stop_.size() ? 0 : seen_ - stop_.size();
        seen_ = text_.size();
        if (const std::size_t at = text_.find(stop_, from); at != std::string::npos) {
            text_.resize(at);
            stopped_ = true;
        }
        return !stopped_;
    }
    // What is new since it was asked last; all of it at the end.
    std::string news(bool end) {
        std::size_t until = text_.size();
        if (!end && !stopped_)
            until -= std::min(until, std::max(utf8::unfinished(text_), stop_.empty() ? 0 : stop_.size() - 1));
        if (until <= shown_)
            return "";
        std::string part = text_.substr(shown_, until - shown_);
        shown_ = until;
        return part;
    }

  private:
    const Task& task_;
    std::string stop_, text_;
    std::vector<int32_t> last_;  // the last symbol alone
    std::size_t shown_ = 0, seen_ = 0;
    bool stopped_ = false;
};

// Writes the continuations of `prompt`, which began at `place`: one as it grows, several one after
// the other, each under a line with its number.
void write(const Restored& run, const GenerateArguments& a, const std::string& prompt, const Place& place, Streams& streams) {
    // A model continues something: an empty prompt is the beginning of a line.
    const std::vector<int32_t> ids = run.task->encode_prompt(prompt.empty() ? "\n" : prompt, place);
    require(!ids.empty(), "{}: nothing to continue: bytes {}, symbols {}", place.text(), prompt.size(), ids.size());
    GenerationOptions options = a.generation;
    options.seed = static_cast<uint64_t>(a.seed.value_or(run.experiment.seed));
    std::vector<Growing> samples(static_cast<std::size_t>(a.samples), Growing(*run.task, a.stop, ids.back()));
    const bool stream = a.samples == 1;
    if (stream)
        streams.out << prompt << std::flush;
    generate(*run.made.model, ids, a.samples, options, [&](int64_t s, int32_t id) {
        Growing& g = samples[static_cast<std::size_t>(s)];
        const bool more = g.add(id);
        if (stream) {
            streams.out << g.news(false);
            flush(streams.out);
        }
        return more;
    });
    for (std::size_t s = 0; s < samples.size(); ++s) {
        if (!stream)
            streams.out << fmt::format("--- {} of {}\n{}", s + 1, samples.size(), prompt);
        streams.out << samples[s].news(true) << '\n';
    }
    flush(streams.out);
}

int run_generate(const GenerateArguments& a, Streams& streams) {
    const Restored run = restore(a.run, Data::vocabularies);
    require(run.task->source_vocabulary_size() == 0,
            "{}: the task has sources, whose targets 'attend translate' writes: source vocabulary {}, target vocabulary {}",
            a.run, run.task->source_vocabulary_size(), run.task->target_vocabulary_size());
    require(run.made.model->decodes(),
            "{}: its model does not write: it guesses what is masked or tells classes, of texts that are whole: classes {}, "
            "target vocabulary {}; 'attend eval' says how well",
            a.run, run.task->classes(), run.task->target_vocabulary_size());
    if (a.prompt) {
        write(run, a, *a.prompt, {"--prompt", 1}, streams);
        return 0;
    }
    if (!streams.interactive) {
        write(run, a, read_text(streams.in, input_name), {input_name, 1}, streams);
        return 0;
    }
    InputLines input(streams.in, input_name);
    for (std::string line;;) {
        streams.error << "> " << std::flush;
        if (!input.next(line))
            break;
        try {
            write(run, a, line, {input_name, input.number()}, streams);
        } catch (const Error& e) {  // a person reads what is wrong and types on
            streams.error << "attend: " << utf8::shown(e.what()) << '\n';
        }
    }
    streams.error << std::endl;
    return 0;
}

}  // namespace

Action declare_generate(CommandLine& app) {
    auto a = std::make_shared<GenerateArguments>();
    SamplingOptions& s = a->generation.sampling;
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints").required();
    app.add_option("--prompt", a->prompt,
                   "the text to continue; without it standard input is read, from a terminal line by line")
        .type_name("TEXT");
    app.add_integer("--tokens", a->generation.symbols, {0, int64_t{1} << 30}, "most symbols to write");
    app.add_number("--temperature", s.temperature, {0, 1e3}, "below 1 surer, above 1 more varied; 0: always the likeliest");
    app.add_integer("--top-k", s.top_k, {0, int64_t{1} << 30}, "draw from the K likeliest symbols alone; 0: from all")
        .type_name("K");
    app.add_number("--top-p", s.top_p, {1e-6, 1}, "draw from the fewest likeliest symbols that have this probability together");
    app.add_number("--repetition-penalty", s.repetition_penalty, {1e-3, 1e3},
                   "above 1: symbols that were there already become less likely");
    app.add_option("--stop", a->stop, "end in front of this text").type_name("TEXT");
    app.add_integer("--samples", a->samples, {1, 4096}, "continuations to write");
    app.add_integer("--seed", a->seed, {.low = 0}, "of the draws, in place of the run's");
    app.footer("The prompt and what follows it go to standard output. The same seed writes the same text.");
    return [a](Streams& streams) { return run_generate(*a, streams); };
}

}  // namespace attend::cli
