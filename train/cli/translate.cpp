// Standard input is read in chunks. A chunk is sorted by length and cut into batches, which are
// decoded at the same time; its lines are written in the order they came in. What a batch holds
// depends on the input and the options alone, so the output is the same, bit for bit, for any
// number of threads.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "data/batching.h"
#include "data/text/utf8.h"
#include "train/cli/input_lines.h"
#include "train/cli/search.h"
#include "train/config/utf8.h"
#include "train/evaluate/decode/beam.h"
#include "train/evaluate/decode/picture.h"
#include "train/evaluate/evaluate.h"
#include "train/learn/restored.h"

namespace attend::cli {

namespace {

constexpr const char* input_name = "standard input";
constexpr int64_t chunk_batches = 16;
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;  // a chunk of long lines ends early
constexpr int64_t batch_symbols = 128;                     // a line on average: a batch of long lines has fewer

struct TranslateArguments {
    std::string run;
    SearchArguments search;
    std::optional<int64_t> nbest, chunk;
    int threads = 1;
    bool attention = false, scores = false;
};

struct Line {
    int64_t number = 1;
    std::string text;
    Ids ids;                  // one row
    int64_t unknown = 0;      // symbols that are not in the vocabulary
    int64_t left_out = 0;     // symbols beyond decode.max_source
    bool unfinished = false;  // the output was cut at its limit
    std::string error, output;

    int64_t length() const { return ids.rows == 0 ? 0 : ids.length(0); }
};

// Losses that do not end the work but must be said.
struct Tally {
    int64_t symbols = 0, unknown = 0, first_unknown = 0;
    int64_t left_out = 0, cut_lines = 0, first_cut = 0;
    int64_t unfinished = 0, first_unfinished = 0;

    void count(const Line& line) {
        symbols += line.length();
        if (line.unknown > 0 && unknown == 0)
            first_unknown = line.number;
        unknown += line.unknown;
        if (line.left_out > 0 && cut_lines++ == 0)
            first_cut = line.number;
        left_out += line.left_out;
        if (line.unfinished && unfinished++ == 0)
            first_unfinished = line.number;
    }
    void say(std::ostream& error, int64_t max_source) const {
        if (unknown > 0)
            error << fmt::format("attend: warning: {} of {} source symbols are not in the vocabulary, the first in line {}\n",
                                 unknown, symbols, first_unknown);
        if (cut_lines > 0)
            error << fmt::format(
                "attend: warning: lines cut to {} symbols (decode.max_source, or the model's own limit): {}, the first line "
                "{}; symbols "
                "left out {}\n",
                max_source, cut_lines, first_cut, left_out);
        if (unfinished > 0)
            error << fmt::format(
                "attend: warning: outputs cut before they ended (decode.max_length): {}, the first of line {}\n", unfinished,
                first_unfinished);
        error.flush();
    }
};

class Translator {
  public:
    Translator(const Restored& run, const TranslateArguments& arguments, Workers& workers)
        : run_(run), a_(arguments), workers_(workers), options_(chosen(run.experiment.decode, arguments.search)) {
        require(
            run.task->source_vocabulary_size() > 0,
            "{}: nothing to translate: the task has no source: source vocabulary {}, target vocabulary {}; 'attend generate' "
            "continues a text, 'attend eval' takes any run",
            a_.run, run.task->source_vocabulary_size(), run.task->target_vocabulary_size());
        require(nbest() <= options_.beam, "--nbest: more outputs than the beam holds: nbest {}, beam {}; give --beam {}",
                nbest(), options_.beam, nbest());
        if (const int64_t longest = run.made.model->longest(); longest > 0)
            options_.max_source = std::min(options_.max_source, longest);
    }

    const DecodeOptions& options() const { return options_; }
    int64_t chunk() const { return a_.chunk.value_or(chunk_batches * options_.batch); }

    // Fills the outputs of the lines before the first that cannot be read, and leaves out the
    // others. Gives its message.
    std::string translate(std::vector<Line>& lines) {
        workers_.blocks(static_cast<int64_t>(lines.size()), 64, [&](int64_t, int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) encode(lines[static_cast<std::size_t>(i)]);
        });
        const auto broken = std::find_if(lines.begin(), lines.end(), [](const Line& l) { return !l.error.empty(); });
        const std::string error = broken == lines.end() ? "" : broken->error;
        lines.erase(broken, lines.end());

        std::vector<Line*> longest_first;
        for (Line& line : lines) {
            line.output = "\n";  // of lines without symbols, so that input and output stay side by side
            if (line.length() > 0)
                longest_first.push_back(&line);
        }
        std::stable_sort(longest_first.begin(), longest_first.end(),
                         [](const Line* x, const Line* y) { return x->length() > y->length(); });
        const std::vector<std::span<Line*>> batches = cut(longest_first);
        workers_.run(static_cast<int>(batches.size()), [&](int i) { decode(batches[static_cast<std::size_t>(i)]); });
        return error;
    }

  private:
    int64_t nbest() const { return a_.nbest.value_or(1); }

    void encode(Line& line) const {
        if (line.text.empty())
            return;  // no symbols, whatever the task makes of lines
        try {
            line.ids = run_.task->encode_sources({&line.text, 1});
        } catch (const Error& e) {
            std::string_view message = e.what();
            if (const std::string place = Place{}.text() + ": "; message.starts_with(place))
                message.remove_prefix(place.size());
            line.error = fmt::format("{}:{}: {}", input_name, line.number, message);
            return;
        }
        if (line.length() > options_.max_source) {
            line.left_out = line.length() - options_.max_source;
            line.ids.lengths[0] = static_cast<int32_t>(options_.max_source);
            line.ids = line.ids.slice(0, 1);
        }
        line.unknown = std::count(line.ids.row(0), line.ids.row(0) + line.length(), int32_t{id_unknown});
    }

    std::vector<std::span<Line*>> cut(std::vector<Line*>& longest_first) const {
        std::vector<std::span<Line*>> batches;
        for (std::size_t first = 0; first < longest_first.size();) {
            const int64_t fit = options_.batch * batch_symbols / longest_first[first]->length();
            const auto rows = static_cast<std::size_t>(std::clamp<int64_t>(fit, 1, options_.batch));
            batches.push_back(std::span(longest_first).subspan(first, std::min(rows, longest_first.size() - first)));
            first += batches.back().size();
        }
        return batches;
    }

    void decode(std::span<Line*> lines) const {
        std::vector<std::vector<int32_t>> rows;
        for (const Line* line : lines) rows.emplace_back(line->ids.row(0), line->ids.row(0) + line->length());
        const Ids source = pad_sequences(rows);
        const std::vector<std::vector<Decoded>> found =
            decode_beam(*run_.made.model, source, decode_limits(*run_.made.model, *run_.task, source, options_.max_length),
                        options_.search(nbest()), a_.attention ? Collect::attention : Collect::nothing);
        for (std::size_t r = 0; r < lines.size(); ++r) {
            lines[r]->output = text(*lines[r], found[r]);
            lines[r]->unfinished = !found[r].front().ended;
        }
    }

    std::string text(const Line& line, const std::vector<Decoded>& found) const {
        const MapStyle style{environment_glyphs(), 0};
        std::string out;
        for (std::size_t n = 0; n < found.size(); ++n) {
            const Decoded& d = found[n];
            if (a_.nbest)
                out += fmt::format("{}\t{}\t", line.number, n + 1);
            if (a_.scores)
                out += fmt::format("{:.6g}\t{:.6g}\t{:.6g}\t", d.score, d.log_likelihood, fmt::join(d.log_probabilities, " "));
            out += run_.task->decode_target(d.ids) + "\n";
            if (a_.attention)
                out +=
                    attention_picture(*run_.task, {line.ids.row(0), static_cast<std::size_t>(line.length())}, d, style) + "\n";
        }
        return out;
    }

    const Restored& run_;
    const TranslateArguments& a_;
    Workers& workers_;
    DecodeOptions options_;
};

// The next lines, up to a full chunk; fewer before the end of the input and before a line that
// cannot be read.
struct Chunk {
    std::vector<Line> lines;
    std::string error;
    bool end = false;
};

Chunk read_chunk(InputLines& input, int64_t most) {
    Chunk chunk;
    std::size_t bytes = 0;
    while (static_cast<int64_t>(chunk.lines.size()) < most && bytes < chunk_bytes) {
        Line line;
        try {
            if (!input.next(line.text)) {
                chunk.end = true;
                break;
            }
        } catch (const Error& e) {
            chunk.error = e.what();
            break;
        }
        line.number = input.number();
        bytes += line.text.size();
        chunk.lines.push_back(std::move(line));
    }
    return chunk;
}

int run_translate(const TranslateArguments& a, Streams& streams) {
    const Restored run = restore(a.run, Data::vocabularies);
    Workers workers(a.threads);
    Translator translator(run, a, workers);
    InputLines input(streams.in, input_name);
    Tally tally;
    for (bool end = false; !end;) {
        if (streams.interactive)
            streams.error << "> " << std::flush;
        Chunk chunk = read_chunk(input, streams.interactive ? 1 : translator.chunk());
        end = chunk.end;
        std::string error = translator.translate(chunk.lines);
        if (error.empty())
            error = chunk.error;
        for (const Line& line : chunk.lines) {
            streams.out << line.output;
            tally.count(line);
        }
        flush(streams.out);
        if (streams.interactive) {  // a person reads what is wrong and types on
            if (!error.empty())
                streams.error << "attend: " << utf8::shown(error) << '\n';
            tally.say(streams.error, translator.options().max_source);
            tally = {};
        } else if (!error.empty()) {
            tally.say(streams.error, translator.options().max_source);
            fail("{}", error);
        }
    }
    if (streams.interactive)
        streams.error << std::endl;
    tally.say(streams.error, translator.options().max_source);
    return 0;
}

}  // namespace

Action declare_translate(CommandLine& app) {
    auto a = std::make_shared<TranslateArguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints").required();
    app.add_flag("--attention", a->attention, "draw the attention map below each output");
    add_search(app, a->search);
    app.add_integer("--nbest", a->nbest, {1, most_beam},
                    "up to N outputs a line, those that ended before those that were cut, each best first, with two columns in "
                    "front: the input line's number and the rank, from 1")
        .type_name("N");
    app.add_flag(
        "--scores", a->scores,
        "three columns before the text: score (log-likelihood over the length penalty), log-likelihood in nats, and that "
        "of each symbol and of the end, between blanks");
    app.add_integer("--chunk", a->chunk, {1, int64_t{1} << 24},
                    "lines to read before any is written: they are sorted by length and decoded together (default: 16 "
                    "decode.batch; 1: answer each line at once)")
        .type_name("LINES");
    add_threads(app, a->threads);
    app.footer(
        "One output line for each input line, in its order; an empty line for a line without symbols. Columns are parted by "
        "tabs, "
        "the text is the last. With a terminal for standard input every line is answered at once.");
    return [a](Streams& streams) { return run_translate(*a, streams); };
}

}  // namespace attend::cli
