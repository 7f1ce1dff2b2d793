#include "data/tasks/parallel.h"

#include "data/text/lines.h"

namespace attend {

namespace {

PairRows read_pair(Split split, const std::vector<std::string>& files) {
    const std::string hint = missing_file_hint(split, "[\"SOURCE\", \"TARGET\"]");
    require(files.size() == 2, "data.{}: two files are needed, source and target: files {}, needed 2; {}", split_name(split),
            files.size(), hint);
    PairRows rows{{files[0], read_lines(files[0], {}, hint)}, {files[1], read_lines(files[1], {}, hint)}};
    const int64_t n = rows.source.lines.size(), m = rows.target.lines.size();
    require(n == m, "data.{}: the two files have different counts of lines: {} {}, {} {}", split_name(split), files[0], n,
            files[1], m);
    return rows;
}

}  // namespace

std::unique_ptr<Task> parallel_task(const ParallelOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "parallel";
    task.metrics = options.names();
    // Text of twice as many symbols is rare in translation; short sources get room.
    task.limit_factor = 2;
    task.limit_constant = 50;
    PairFiles files;
    files.read = [&](Split split) {
        const std::vector<std::string>& named = options.of(split);
        return split != Split::train && named.empty() ? PairRows{} : read_pair(split, named);
    };
    set_tokenizers(files, options, options);
    return file_pairs_task(std::move(task), files, options, options.references, setup);
}

}  // namespace attend
