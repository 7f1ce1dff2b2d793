#pragma once
/// A slow obvious reader of dates: no list of forms, only what a careful person does with the words
/// and numbers on the page.
#include <string>

#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

/// ISO 8601 of the date that `text` holds. Throws Error when it finds none, more than one reading,
/// or a wrong weekday.
std::string parse_date(const std::string& text);

}  // namespace attend::ATTEND_PRECISION::oracles
