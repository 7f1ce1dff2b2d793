#pragma once
/// What can be set: the listing of an options struct as data. Help and the JSON schema are made from it.
#include "core/base/options.h"

namespace attend::config {

struct Option;

/// One row of a selection's seam.
struct OptionRow {
    std::string name;
    std::string help;
    std::vector<Option> options;  ///< with that row's defaults; paths go on from the selection's path
};

/// One option, or one nested object of them.
struct Option {
    enum class Kind { integer, number, flag, text, choice, path, paths, numbers, selection, object };
    std::string path;  ///< "optimizer.learning_rate"
    Kind kind = Kind::object;
    std::string help;
    std::string initial;             ///< its default as JSON; for a selection the row's name, for an object ""
    std::string range;               ///< "1 to 65536", "at least 0", "" where any value is allowed
    std::string automatic;           ///< the word that stands for "choose for me", or ""
    std::vector<std::string> words;  ///< of a choice
    bool fixed_length = false;       ///< of numbers: exactly as many as the default has
    /// The bounds as JSON numbers for a schema; "" where there is none.
    std::string least, most;
    std::string seam;             ///< of a selection: what the seam lists ("score")
    std::string row_key;          ///< of a selection: the key that the row's name stands under
    std::vector<OptionRow> rows;  ///< of a selection: all rows of its seam
    std::vector<Option> members;  ///< of an object
};

/// Name of a kind as a reader of help expects it: "integer", "number", "true or false", ...
const char* kind_name(Option::Kind kind);

/// The listing as a tree. Throws MachineError when selections nest deeper than 16: then a table leads back to itself.
std::vector<Option> describe_fields(FunctionRef<void(Visitor&)> fields);

template <class T>
std::vector<Option> describe(T options = {}) {
    return describe_fields([&options](Visitor& v) { options.fields(v); });
}

/// One line of the flat listing.
struct Listed {
    const Option* option;
    std::string row;  ///< "optimizer adam": the row of the innermost selection it belongs to, "" where always there
};

/// All options of the tree, depth first, an object's or a selection's before those below it. Points into `options`.
std::vector<Listed> flat(const std::vector<Option>& options);

/// The listing for people: per option a line `path  kind  [default]  range` and its help, rows of seams with theirs.
std::string help_text(const std::vector<Option>& options);

/// Bounds as messages and help say them: "1 to 10", "at least 1", "" when both ends are open.
std::string range_text(const Bounds<int64_t>& bounds);
std::string range_text(const Bounds<double>& bounds);

}  // namespace attend::config
