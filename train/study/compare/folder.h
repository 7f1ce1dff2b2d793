#pragma once
/// The folder of a comparison: comparison.json, what was asked for; compare.json, compare.html and
/// log.txt (with --join a log-HOST.txt of each machine); VARIANT/variant.json, the variant's config; VARIANT/seed-N, the
/// folders of its runs; and .claims (claims.h). Other files may stand in it.
#include <filesystem>

#include "train/study/compare/comparison.h"

namespace attend::compare {

struct Prepared;

/// Beside each variant's runs. The first that a comparison writes, and so its folder's mark.
inline constexpr const char* variant_file = "variant.json";
/// What the comparison was asked for: its variants in their order, seeds and options.
inline constexpr const char* comparison_file = "comparison.json";
/// The table for programs, and the page that shows it.
inline constexpr const char* table_file = "compare.json";
inline constexpr const char* page_file = "compare.html";
/// Where the processes of one machine that join say what they do: log-HOST.txt.
inline constexpr std::string_view host_log_begin = "log-", host_log_end = ".txt";
std::filesystem::path host_log(const std::filesystem::path& root);
/// The name of a run's folder.
std::string seed_name(int64_t seed);

/// Throws Error when the comparison cannot have the folder: it is a training run's, files of these
/// names are there and no comparison made them, or a link or a thing of another kind stands where a
/// folder or a file is needed. Changes nothing.
void check_folder(const std::filesystem::path& root, const Comparison& comparison);
/// The same for the folder of one run, which no process trains meanwhile.
void check_run_folder(const std::filesystem::path& folder);

/// Throws Error where a variant's config stands in the folder and is another one: processes that join
/// train from these files, so the files stay what they are.
void require_same_variants(const std::filesystem::path& root, const Comparison& comparison);

/// Makes the folder with those of the variants, and writes each variant's config and what the
/// comparison was asked for, where that does not stand there already; with what was built for it,
/// so that the comparison can be shown without its data. `prepared` nullptr: that stays as it is, and
/// goes where another comparison is asked for.
void write_folder(const std::filesystem::path& root, const Comparison& comparison, const Prepared* prepared);
/// Whether a comparison has begun in the folder that says what it was asked for.
bool is_comparison_folder(const std::filesystem::path& root);
/// What write_folder() wrote. Throws Error as config::load and config::read.
Comparison read_folder(const std::filesystem::path& root);

}  // namespace attend::compare
