#pragma once
/// Numbers in the JSON that a run writes: those that are not finite are the strings "nan", "inf",
/// "-inf"; and for people.
#include <string>

#include "train/evaluate/scores.h"
#include "train/records/json.h"

namespace attend {

Json number_to_json(double value);
/// Throws Error naming `where` for what number_to_json does not write.
double number_from_json(const Json& json, const std::string& where);

/// "0.1234"; a loss that has run away as "1.234e+12"; a NaN without the sign that it may have.
std::string short_number(double value);
/// 75 -> "1:15", 3725 -> "1:02:05"; from a thousand hours on the number of days.
std::string duration_text(double seconds);
/// "loss 0.1234  exact_match 0.9980".
std::string scores_text(const Scores& scores);

}  // namespace attend
