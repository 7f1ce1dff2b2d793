#include "train/records/example_scores.h"

#include <cmath>
#include <fstream>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "train/records/record_reader.h"
#include "train/records/record_writer.h"

namespace attend {

namespace {

constexpr std::size_t largest_scores = std::size_t{1} << 30;

ExampleScores::Example example_of(const RecordReader& line, const std::vector<std::string>& metrics) {
    ExampleScores::Example e;
    e.number = line.integer("example");
    if (line.has("lengths")) {
        const std::vector<int64_t> lengths = line.integers("lengths");
        require(lengths.size() == 2, "{}: lengths: of source and target: numbers {}, needed {}", line.where(), lengths.size(),
                2);
        for (const int64_t length : lengths) require(length >= 0, "{}: lengths: below 0: {}", line.where(), length);
        e.lengths = ExampleLengths{lengths[0], lengths[1]};
    }
    for (const std::string& name : metrics) e.of.push_back(line.has(name) ? line.numbers(name) : Statistics());
    for (const Statistics& s : e.of)
        for (const double x : s) require(std::isfinite(x), "{}: a score is no number: {}", line.where(), x);
    return e;
}

}  // namespace

void write_scores(const std::filesystem::path& path, const KeptScores& kept) {
    write_file_atomically(path, [&](FileWriter& file) {
        const RecordWriter head = {{"split", split_name(kept.split)},
                                   {"step", kept.step},
                                   {"examples", kept.scores.fingerprint},
                                   {"metrics", kept.scores.metrics}};
        file.write(head.text() + "\n");
        for (const ExampleScores::Example& e : kept.scores.examples) {
            RecordWriter line = {{"example", e.number}};
            if (e.lengths)
                line.set("lengths", std::vector<int64_t>{e.lengths->source, e.lengths->target});
            for (std::size_t i = 0; i < e.of.size(); ++i)
                if (!e.of[i].empty())
                    line.set(kept.scores.metrics[i], e.of[i]);
            file.write(line.text() + "\n");
        }
    });
}

KeptScores read_scores(const std::filesystem::path& path) {
    require(is_regular(path), "{}: scores of examples are a file: it is none", path.string());
    const std::string text = read_file(path, largest_scores);
    KeptScores kept;
    int64_t number = 0;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const auto line = RecordReader::of_text(fmt::format("{}:{}", path.string(), ++number), text.substr(begin, end - begin));
        if (number == 1) {
            kept.split = split_named(line.text("split"), line.where() + ": split");
            kept.step = line.integer("step");
            kept.scores.fingerprint = line.text("examples");
            kept.scores.metrics = line.texts("metrics");
            continue;
        }
        ExampleScores::Example e = example_of(line, kept.scores.metrics);
        for (std::size_t i = 0; i < e.of.size() && !kept.scores.examples.empty(); ++i) {
            const Statistics& before = kept.scores.examples.back().of[i];
            require(before.empty() || e.of[i].empty() || before.size() == e.of[i].size(),
                    "{}: {}: examples differ in their count of numbers: numbers {}, before {}", line.where(),
                    kept.scores.metrics[i], e.of[i].size(), before.size());
        }
        kept.scores.examples.push_back(std::move(e));
    }
    require(number > 0, "{}: no scores of examples: lines {}, least {}", path.string(), number, 1);
    return kept;
}

std::optional<int64_t> step_of_scores(const std::filesystem::path& path) {
    if (!is_there(path) || !is_regular(path))
        return {};
    std::ifstream file(path);
    std::string head;
    if (!file || !std::getline(file, head))
        return {};
    try {
        return RecordReader::of_text(path.string(), head).integer("step");
    } catch (const Error&) {
        return {};
    }
}

}  // namespace attend
