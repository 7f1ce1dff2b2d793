#include "tests/oracles/date_parser.h"

#include <cctype>
#include <vector>

#include "core/base/error.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {
// 0 = Saturday, by Zeller's congruence.
int weekday(int year, int month, int day) {
    if (month < 3) {
        month += 12;
        --year;
    }
    return (day + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400) % 7;
}

int position(const std::string& word, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (word == names[i] || word == names[i].substr(0, 3))
            return static_cast<int>(i);
    return -1;
}
}  // namespace

std::string parse_date(const std::string& text) {
    std::vector<std::string> words, numbers;
    for (std::size_t i = 0; i < text.size();) {
        std::string part;
        const auto same = [&](char c) {
            return std::isdigit(static_cast<unsigned char>(text[i])) ? std::isdigit(static_cast<unsigned char>(c))
                                                                     : std::isalpha(static_cast<unsigned char>(c));
        };
        std::size_t j = i;
        while (j < text.size() && same(text[j])) part += static_cast<char>(std::tolower(static_cast<unsigned char>(text[j++])));
        if (part.empty())
            ++j;
        else if (std::isdigit(static_cast<unsigned char>(part[0])))
            numbers.push_back(part);
        else
            words.push_back(part);
        i = j;
    }
    int year = 0, month = 0, day = 0, named_weekday = -1;
    if (numbers.size() == 1) {
        require(numbers[0].size() == 8, "oracle: one number that is not yyyymmdd: '{}', {} digits", text, numbers[0].size());
        numbers = {numbers[0].substr(0, 4), numbers[0].substr(4, 2), numbers[0].substr(6, 2)};
    }
    std::string ending;
    for (const std::string& w : words) {
        const int m = position(w, {"january", "february", "march", "april", "may", "june", "july", "august", "september",
                                   "october", "november", "december"});
        const int d = position(w, {"saturday", "sunday", "monday", "tuesday", "wednesday", "thursday", "friday"});
        if (m >= 0) {
            require(month == 0, "oracle: two months: '{}', month {}", text, month);
            month = m + 1;
        } else if (d >= 0) {
            require(named_weekday < 0, "oracle: two weekdays: '{}', weekday {}", text, named_weekday);
            named_weekday = d;
        } else if (w == "st" || w == "nd" || w == "rd" || w == "th") {
            ending = w;
        } else {
            require(w == "of" || w == "the", "oracle: unknown word: '{}' in '{}'", w, text);
        }
    }
    if (month > 0) {
        require(numbers.size() == 2, "oracle: day and year expected: '{}' has {} numbers", text, numbers.size());
        const int four = numbers[0].size() == 4 ? 0 : 1;
        require(numbers[static_cast<std::size_t>(four)].size() == 4 && numbers[static_cast<std::size_t>(1 - four)].size() <= 2,
                "oracle: day and year not told apart: '{}', {} digits", text, numbers[0].size());
        year = std::stoi(numbers[static_cast<std::size_t>(four)]);
        day = std::stoi(numbers[static_cast<std::size_t>(1 - four)]);
    } else {
        require(numbers.size() == 3 && numbers[0].size() == 4, "oracle: year first expected: '{}' has {} numbers", text,
                numbers.size());
        year = std::stoi(numbers[0]);
        month = std::stoi(numbers[1]);
        day = std::stoi(numbers[2]);
    }
    if (!ending.empty()) {
        std::string right = "th";
        if (day == 1 || day == 21 || day == 31)
            right = "st";
        if (day == 2 || day == 22)
            right = "nd";
        if (day == 3 || day == 23)
            right = "rd";
        require(ending == right, "oracle: wrong ordinal: '{}', expected {}", text, right);
    }
    if (named_weekday >= 0)
        require(named_weekday == weekday(year, month, day), "oracle: wrong weekday: '{}', expected number {}", text,
                weekday(year, month, day));
    return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

}  // namespace attend::ATTEND_PRECISION::oracles
