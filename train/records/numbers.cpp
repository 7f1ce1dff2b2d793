#include "train/records/numbers.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace attend {

Json number_to_json(double value) {
    if (std::isnan(value))
        return "nan";
    if (std::isinf(value))
        return value > 0 ? "inf" : "-inf";
    return value;
}

double number_from_json(const Json& json, const std::string& where) {
    if (json.is_number())
        return json.get<double>();
    if (json == "nan")
        return std::numeric_limits<double>::quiet_NaN();
    if (json == "inf")
        return std::numeric_limits<double>::infinity();
    if (json == "-inf")
        return -std::numeric_limits<double>::infinity();
    fail("{}: expected a number, got a JSON {}", where, json.type_name());
}

std::string short_number(double value) {
    if (std::isnan(value))
        return "nan";
    return std::abs(value) < 1e6 ? fmt::format("{:.4f}", value) : fmt::format("{:.4g}", value);
}

std::string duration_text(double seconds) {
    if (!(seconds < 3.6e6))
        return fmt::format("{:.3g} days", seconds / 86400);
    const auto s = static_cast<int64_t>(std::ceil(seconds));
    if (s < 3600)
        return fmt::format("{}:{:02}", s / 60, s % 60);
    return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string scores_text(const Scores& scores) {
    std::string text;
    for (const auto& [name, value] : scores.values)
        text += fmt::format("{}{} {}", text.empty() ? "" : "  ", name, short_number(value));
    return text;
}

}  // namespace attend
