#include "data/tasks/dates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

namespace attend {

namespace {

namespace calendar = std::chrono;

constexpr std::array<std::string_view, 12> months = {"January", "February", "March",     "April",   "May",      "June",
                                                     "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                      "Thursday", "Friday", "Saturday"};

// %Y year; %m month of two digits, %n without padding; %B its name, %b three letters of it, %.
// those and a full stop; %d day of two digits, %e without padding, %o with its ordinal ending; %A
// weekday, %a three letters of it.
constexpr std::array<std::string_view, 42> formats = {
    "%Y-%m-%d",    "%Y/%m/%d",         "%Y.%m.%d",         "%Y %m %d",     "%Y%m%d",        "%Y-%n-%e",      "%Y/%n/%e",
    "%Y-%b-%d",    "%Y %b %e",         "%Y %B %e",         "%Y, %B %e",    "%e %B %Y",      "%d %B %Y",      "%e %b %Y",
    "%e-%b-%Y",    "%d-%b-%Y",         "%d%b%Y",           "%d/%b/%Y",     "%e. %B %Y",     "%e %B, %Y",     "%B %e, %Y",
    "%b %e, %Y",   "%. %e, %Y",        "%B %e %Y",         "%b %d %Y",     "%B %o, %Y",     "%B %o %Y",      "%o %B %Y",
    "%o of %B %Y", "%o %b %Y",         "the %o of %B, %Y", "%e of %B, %Y", "%B the %o, %Y", "%A, %B %e, %Y", "%A, %e %B %Y",
    "%A %e %B %Y", "%A, %o of %B, %Y", "%A %B %o, %Y",     "%a, %e %b %Y", "%a %b %e %Y",   "%a, %d-%b-%Y",  "%A, %Y-%m-%d",
};

std::string_view ordinal_ending(int day) {
    const int digit = day >= 11 && day <= 13 ? 0 : day % 10;
    return digit == 1 ? "st" : digit == 2 ? "nd" : digit == 3 ? "rd" : "th";
}

// Where the fields of a date are in a text.
struct Fields {
    Range year, month, day;  // of day and month numbers the digits, of a month's name the letters
    bool month_named = false;
};

Range append(std::string& text, std::string_view part) {
    const auto begin = static_cast<int32_t>(text.size());
    text += part;
    return {begin, static_cast<int32_t>(text.size())};
}

// Digit `place` (0 or 1) of a number that has two digits in the target and one or two in the
// source.
Range digit(Range number, int32_t place) {
    if (number.end - number.begin == 1)
        return number;
    return {number.begin + place, number.begin + place + 1};
}

std::string source_alphabet() {
    // A week of each month shows every character but some digits.
    std::set<char> characters = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'};
    for (int64_t format = 0; format < date_formats(); ++format)
        for (const LetterCase letters : {LetterCase::usual, LetterCase::lower, LetterCase::upper})
            for (int month = 1; month <= 12; ++month)
                for (int day = 1; day <= 7; ++day) {
                    const std::string text = write_date(2000, month, day, format, letters).source;
                    characters.insert(text.begin(), text.end());
                }
    return {characters.begin(), characters.end()};
}

constexpr calendar::sys_days first_day = calendar::year{1900} / calendar::January / 1;
constexpr calendar::sys_days end_day = calendar::year{2100} / calendar::January / 1;

}  // namespace

int64_t date_formats() { return static_cast<int64_t>(formats.size()); }

GeneratedExample write_date(int year, int month, int day, int64_t format, LetterCase letters) {
    const calendar::year_month_day date =
        calendar::year{year} / calendar::month{static_cast<unsigned>(month)} / calendar::day{static_cast<unsigned>(day)};
    require(month >= 1 && month <= 12 && day >= 1 && day <= 31 && date.ok() && year >= 1900 && year <= 2099,
            "dates: no such date from 1900 to 2099: year {}, month {}, day {}", year, month, day);
    require(format >= 0 && format < date_formats(), "dates: no such form: form {}, there are {}", format, date_formats());
    const std::string_view month_name = months[static_cast<std::size_t>(month - 1)];
    const std::string_view weekday = weekdays[calendar::weekday(calendar::sys_days(date)).c_encoding()];

    GeneratedExample e;
    Fields at;
    const std::string_view pattern = formats[static_cast<std::size_t>(format)];
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%') {
            e.source += pattern[i];
            continue;
        }
        const char field = pattern[++i];
        const auto is = [field](std::string_view one_of) { return one_of.find(field) != std::string_view::npos; };
        const int width = is("md") ? 2 : 1;  // at least
        if (is("Y")) {
            at.year = append(e.source, fmt::format("{}", year));
        } else if (is("mn")) {
            at.month = append(e.source, fmt::format("{:0{}}", month, width));
        } else if (is("Bb.")) {
            at.month = append(e.source, is("B") ? month_name : month_name.substr(0, 3));
            at.month_named = true;
            if (is(".") && month_name.size() > 3)
                e.source += '.';  // May is not an abbreviation
        } else if (is("deo")) {
            at.day = append(e.source, fmt::format("{:0{}}", day, width));
            if (is("o"))
                e.source += ordinal_ending(day);
        } else {
            ensure(is("Aa"), "dates: unknown field: field {}, form {}", field, format);
            e.source += is("A") ? weekday : weekday.substr(0, 3);
        }
    }
    for (char& c : e.source) {
        if (letters == LetterCase::lower && c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
        if (letters == LetterCase::upper && c >= 'a' && c <= 'z')
            c = static_cast<char>(c - 'a' + 'A');
    }
    e.target = fmt::format("{}-{:02}-{:02}", year, month, day);
    e.value = e.target;
    for (int32_t i = 0; i < 4; ++i) e.gold.push_back({at.year.begin + i, at.year.begin + i + 1});
    e.gold.push_back({});
    for (int32_t i = 0; i < 2; ++i) e.gold.push_back(at.month_named ? at.month : digit(at.month, i));
    e.gold.push_back({});
    for (int32_t i = 0; i < 2; ++i) e.gold.push_back(digit(at.day, i));
    return e;
}

std::unique_ptr<Task> dates_task(const GeneratedOptions& options, const TaskSetup& setup) {
    PairTask task;
    task.name = "dates";
    task.source = char_tokenizer(source_alphabet());
    task.target = char_tokenizer("-0123456789");
    task.metrics = {"accuracy",        "exact_match",   "alignment_accuracy", "alignment_year",
                    "alignment_month", "alignment_day", "attention_entropy"};
    task.parts = {{"year", {0, 4}}, {"month", {5, 7}}, {"day", {8, 10}}};
    task.limit_factor = 0;
    task.limit_constant = 11;
    const auto days = static_cast<uint32_t>((end_day - first_day).count());
    generate(task, options, setup, [days](Stream& stream, Split) {
        const calendar::year_month_day date(first_day + calendar::days(stream.below(days)));
        const int64_t format = stream.below(static_cast<uint32_t>(date_formats()));
        // As usual in three of five, else all small or all capital letters.
        const std::array<LetterCase, 5> cases = {LetterCase::usual, LetterCase::usual, LetterCase::usual, LetterCase::lower,
                                                 LetterCase::upper};
        const LetterCase letters = cases[stream.below(5)];
        return write_date(static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
                          static_cast<int>(static_cast<unsigned>(date.day())), format, letters);
    });
    task.notes = {fmt::format("{} forms of {} calendar dates, 0 dates shared between the splits", date_formats(), days)};
    return make_task(std::move(task));
}

}  // namespace attend
