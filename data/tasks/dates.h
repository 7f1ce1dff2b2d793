#pragma once
/// dates: a date as people write it to ISO 8601, "Tuesday, 3rd of March, 1998" to "1998-03-03",
/// character by character. The task of the attention papers' many demonstrations: its alignment is
/// not monotonic, and known.
///
/// Years 1900 to 2099. Every form has one reading: numeric forms begin with the year, day and month
/// elsewhere are told apart by the month's name, years have four digits, weekdays are right for the
/// date. Calendar dates are divided between the splits (generated.h), so no date of the test split,
/// in whatever form, occurs in training.
#include "data/tasks/generated.h"

namespace attend {

enum class LetterCase { usual, lower, upper };

/// Number of forms a date can be written in, letter case apart.
int64_t date_formats();

/// A date in form `format` (0 ... date_formats() - 1), with its ISO 8601 target and gold alignment.
/// For a digit of the year, the digit in the source; of the month, the month's name or the digit;
/// of the day, the digit; where the source has one digit and the target two, both point at it; for
/// hyphens nothing. Throws Error for a date not in 1900 ... 2099 or an unknown form.
GeneratedExample write_date(int year, int month, int day, int64_t format, LetterCase letters);

std::unique_ptr<Task> dates_task(const GeneratedOptions& options, const TaskSetup& setup);

}  // namespace attend
