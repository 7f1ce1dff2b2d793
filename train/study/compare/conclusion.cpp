#include "train/study/compare/conclusion.h"

#include "core/base/own_files.h"

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "train/config/words.h"
#include "train/records/record_reader.h"
#include "train/study/compare/claims.h"
#include "train/study/compare/training_job.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

// Bits of training may differ between programs.
void warn_of_other_programs(Observer& log, const std::vector<VariantRecord>& records) {
    std::vector<std::string> programs;
    for (const VariantRecord& v : records)
        for (const RunRecord& run : v.runs)
            if (!run.program.empty() && !contains(programs, run.program))
                programs.push_back(run.program);
    if (programs.size() > 1)
        log.warning("the runs were made by {} programs, whose bits can differ: attend {}", programs.size(), joined(programs));
}

}  // namespace

Ending ending_in_summary(const fs::path& folder) {
    constexpr std::size_t largest = std::size_t{1} << 24;
    const RunFolder run(folder);
    if (kind_of(run.summary()) != Kind::file)
        return kind_of(run.config()) == Kind::missing ? Ending::missing : Ending::unfinished;
    try {
        const std::string status =
            RecordReader::of_text(run.summary().string(), read_file(run.summary(), largest)).text("status");
        return status == status_name(Status::finished)   ? Ending::finished
               : status == status_name(Status::diverged) ? Ending::diverged
                                                         : Ending::unfinished;
    } catch (const Error&) {  // a run that continues removes it
        return Ending::unfinished;
    }
}

bool is_over(Ending ending) { return ending == Ending::finished || ending == Ending::diverged || ending == Ending::failed; }

RunEnd end_of(const Claims& claims, const std::string& name, const fs::path& folder) {
    RunEnd end{ending_in_summary(folder), ""};
    if (is_over(end.ending))
        return end;
    if (const std::optional<Claims::Failure> failure = claims.failure(name))
        end = {Ending::failed, failure->message};
    return end;
}

Compared conclude(const Comparison& c, const Prepared& prepared, const std::map<std::size_t, std::string>& failures,
                  Observer& log) {
    Compared result;
    for (const Variant& v : c.variants) result.records.push_back({v.name, {}});
    for (std::size_t i = 0; i < prepared.runs.size(); ++i) {
        const Planned& run = prepared.runs[i];
        RunRecord record = read_run(run.folder, run.experiment.seed);
        // Examples are kept of the last value alone.
        if (const Settings& s = prepared.settings; s.judged == Judged::last || s.split == Split::test)
            record =
                with_examples(std::move(record), run.folder, s.split, s.metric, s.by_length ? KeepScores::yes : KeepScores::no);
        if (const auto failure = failures.find(i); failure != failures.end()) {
            record.ending = Ending::failed;
            record.message = failure->second;
        }
        result.records[run.variant].runs.push_back(std::move(record));
    }
    warn_of_other_programs(log, result.records);
    result.table = tabulate(result.records, prepared.settings);
    result.json = json_of(c, prepared, result.records, result.table);
    return result;
}

std::string json_file(const Compared& compared) { return compared.json.text(1, Broken::replaced) + "\n"; }

Compared present_comparison(const Comparison& c, const fs::path& root) {
    const std::optional<Prepared> kept = kept_preparation(c, root);
    const Prepared prepared = kept ? *kept : prepare(c, root.string());
    const Claims claims(root);
    std::map<std::size_t, std::string> failures;
    for (std::size_t i = 0; i < prepared.runs.size(); ++i)
        if (const RunEnd end = end_of(claims, claim_name(c, prepared.runs[i]), prepared.runs[i].folder);
            end.ending == Ending::failed)
            failures.emplace(i, end.message);
    return conclude(c, prepared, failures, no_observer());
}

}  // namespace attend::compare
