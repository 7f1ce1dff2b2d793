#pragma once
/// The table of a comparison for people: as text and in sentences.
#include <string>
#include <vector>

#include "train/records/record_reader.h"
#include "train/study/compare/table.h"

namespace attend::compare {

/// The table, `changes` as changes_text() has them, and what was found in words. Ends in a line
/// feed.
std::string text_of(const Result& table, const std::string& name, const std::string& changes = "");
/// What each variant changes of the reference, a line for each value of an option, from
/// compare.json; "" for nothing.
std::string changes_text(const RecordReader& comparison);
/// What was found in words, a sentence each; the last sums up.
std::vector<std::string> sentences_of(const Result& table);

}  // namespace attend::compare
