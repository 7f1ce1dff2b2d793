#pragma once
/// Options back to JSON: the resolved config of a run, and what differs between two configs.
#include "core/base/options.h"

namespace attend::config {

/// The listing's values as JSON text ending in a newline: every option with its value, in the order
/// of the listing, selections always as objects (of a pattern in which all are the same one
/// object, else a list), numbers in the shortest form that reads back
/// equal. What fits on a line stands on one. Reading it gives the same values. Throws MachineError
/// for a number that is not finite or a text that is not UTF-8 (no reader lets these in).
std::string write_fields(FunctionRef<void(Visitor&)> fields);

template <class T>
std::string write(T options) {
    return write_fields([&options](Visitor& v) { options.fields(v); });
}

/// One option in which two configs differ; values as JSON on one line.
struct Difference {
    std::string path;    ///< "optimizer.learning_rate"
    std::string before;  ///< "" where only the second has it
    std::string after;   ///< "" where only the first has it
};

/// What is reported of two selections of different rows, whose options have nothing to do with each other: the names alone
/// (at `path.type`, or the seam's key), or, at `path`, the second with its options that are not the row's defaults, as a config
/// has it: "none", {"type": "hard", "estimator": "exact"}.
enum class Rows { alone, with_options };

/// The differences between two listings, in the order of the first. Where one has a list of
/// selections and the other has one, that one is compared with each element ("model.attention.1.type");
/// lists of different lengths are one difference.
std::vector<Difference> differences_of_fields(FunctionRef<void(Visitor&)> before, FunctionRef<void(Visitor&)> after,
                                              Rows rows = Rows::alone);

template <class T>
std::vector<Difference> differences(T before, T after, Rows rows = Rows::alone) {
    return differences_of_fields([&before](Visitor& v) { before.fields(v); }, [&after](Visitor& v) { after.fields(v); }, rows);
}

/// A number as JSON: the shortest decimal form that reads back equal. Throws MachineError unless it
/// is finite.
std::string number_text(double value);
/// A text as a JSON string. Throws MachineError unless it is UTF-8.
std::string in_quotes(std::string_view text);

}  // namespace attend::config
