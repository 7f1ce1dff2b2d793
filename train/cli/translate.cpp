#include <istream>
#include <memory>
#include <ostream>

#include "train/cli/cli.h"
#include "train/decode/picture.h"
#include "train/run/restored.h"

namespace attend::inline ATTEND_PRECISION::cli {

namespace {

struct Arguments {
    std::string run;
    int threads = 1;
    bool attention = false;
};

// A group of lines that is decoded together: what it holds does not depend on the threads.
struct Group {
    int64_t first = 1;  // number of its first line in the input
    std::vector<std::string> lines;
    std::string output;
};

constexpr std::size_t longest_line = std::size_t{1} << 20;

bool read_line(std::istream& in, std::string& line, int64_t number) {
    if (!std::getline(in, line))
        return false;
    if (!line.empty() && line.back() == '\r')
        line.pop_back();
    require(line.size() <= longest_line, "standard input:{}: line too long: {} bytes, at most {}", number, line.size(),
            longest_line);
    return true;
}

// An empty line has no translation but an empty line, so that lines of input and output stay side by side.
void translate(Group& group, const Restored& run, const Arguments& a) {
    std::vector<std::string> sources;
    for (const std::string& line : group.lines)
        if (!line.empty())
            sources.push_back(line);
    std::vector<Decoded> decoded;
    Ids ids;
    if (!sources.empty()) {
        try {
            ids = run.task->encode_sources(sources);
        } catch (const Error& e) {
            fail("standard input, lines {} to {}: {}", group.first, group.first + static_cast<int64_t>(group.lines.size()) - 1,
                 e.what());
        }
        decoded = decode_greedy(*run.made.model, ids, decode_limits(*run.task, ids, run.experiment.decode.max_length),
                                a.attention ? Collect::attention : Collect::nothing);
    }
    const MapStyle style{environment_glyphs(), 0};
    std::size_t row = 0;
    for (const std::string& line : group.lines) {
        if (line.empty()) {
            group.output += "\n";
            continue;
        }
        const Decoded& d = decoded[row];
        const auto r = static_cast<int64_t>(row++);
        group.output += run.task->decode_target(d.ids) + "\n";
        if (a.attention)
            group.output +=
                attention_picture(*run.task, {ids.row(r), static_cast<std::size_t>(ids.length(r))}, d, style) + "\n";
    }
}

}  // namespace

Action declare_translate(CLI::App& app) {
    auto a = std::make_shared<Arguments>();
    app.add_option("RUN", a->run, "a run's folder, or one of its checkpoints")->required();
    app.add_flag("--attention", a->attention, "draw the attention map below each line");
    add_threads(app, a->threads);
    return [a](Streams& streams) {
        const Restored run = restore(a->run, Data::vocabularies);
        Workers workers(a->threads);
        const auto size = static_cast<std::size_t>(run.experiment.decode.batch);
        const auto most_groups = static_cast<std::size_t>(workers.threads());
        int64_t number = 0;
        bool more = true;
        while (more) {
            std::vector<Group> groups;
            std::string line;
            while (groups.size() < most_groups || groups.back().lines.size() < size) {
                more = read_line(streams.in, line, number + 1);
                if (!more)
                    break;
                if (groups.empty() || groups.back().lines.size() == size)
                    groups.push_back({number + 1, {}, {}});
                groups.back().lines.push_back(line);
                ++number;
                if (streams.interactive)
                    break;
            }
            workers.run(static_cast<int>(groups.size()),
                        [&](int i) { translate(groups[static_cast<std::size_t>(i)], run, *a); });
            for (const Group& g : groups) streams.out << g.output;
            flush(streams.out);
        }
        return 0;
    };
}

}  // namespace attend::inline ATTEND_PRECISION::cli
