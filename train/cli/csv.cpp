#include "train/cli/csv.h"

namespace attend::cli {

namespace {

std::string in_quotes(std::string_view text) {
    std::string cell = "\"";
    for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
    return cell + "\"";
}

}  // namespace

std::string csv_number(std::string_view written) {
    return written.find_first_of(",\"\n\r") == std::string_view::npos ? std::string(written) : in_quotes(written);
}

std::string csv_text(std::string_view text) {
    constexpr std::string_view formula = "=+-@\t\r";
    if (text.empty() || formula.find(text.front()) == std::string_view::npos || text == "-inf")
        return csv_number(text);
    return in_quotes("'" + std::string(text));
}

}  // namespace attend::cli
