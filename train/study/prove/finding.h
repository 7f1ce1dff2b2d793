#pragma once
/// What proving a property found.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "train/records/record_writer.h"

namespace attend::prove {

enum class Verdict { passed, failed, not_applicable };

/// The worse of two figures. NaN is infinitely bad: std::max(worst, NaN) would be `worst`.
inline double worse(double worst, double figure) { return std::isnan(figure) ? HUGE_VAL : std::max(worst, figure); }

/// One property of one model.
struct Finding {
    std::string property = {};  ///< its name: a row of properties()
    std::string claim = {};     ///< what should hold
    Verdict verdict = Verdict::passed;
    double worst = 0;         ///< the worst figure that was seen
    double limit = 0;         ///< the largest that is allowed
    std::string tried = {};   ///< what was tried, with numbers
    std::string module = {};  ///< of a failure: the path of the module where it shows
    double seconds = 0;       ///< that it took
    std::string reason = {};  ///< of a failure: what was seen; of what is not applicable: why
};

struct Report {
    std::string model;    ///< what was proved, in a line
    std::string weights;  ///< which weights
    std::string rows;     ///< on what
    std::vector<Finding> findings;
    double seconds = 0;
    bool passed() const;
};

/// A line a property, a line more for each failure, and the verdict.
std::string text_of(const Report& report);
RecordWriter json_of(const Report& report);

}  // namespace attend::prove
