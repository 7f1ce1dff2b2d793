#pragma once
/// The options of a struct as a tree, made once from their listing: name, kind, value, bounds and
/// help. The writer, the differences of two configs, `attend list`, `attend plan`, the JSON schema
/// and the reports use it; only the reader walks the listing itself, as it assigns.
#include "core/base/options.h"

namespace attend::config {

struct Option;

/// One row of a selection's seam.
struct OptionRow {
    std::string name;
    std::string help;
    std::vector<Option> options;  ///< with that row's defaults; their paths begin with the selection's path
};

/// One option, or one nested object of them.
struct Option {
    enum class Kind { integer, number, flag, text, choice, path, paths, numbers, selection, list, object };
    std::string name;  ///< "learning_rate"
    std::string path;  ///< "optimizer.learning_rate"
    Kind kind = Kind::object;
    std::string help;
    /// JSON on one line: a number that stands for an automatic choice as its word, a list of one
    /// path as that path, a selection as the name of its row (of several in a list, with
    /// SeamRows::all, a list of names); "" for an object and, with SeamRows::chosen, for a list.
    std::string value;
    std::string automatic;           ///< the word that stands for "choose for me", or ""
    std::string least, most;         ///< the bounds as JSON numbers; "" where there is none
    std::vector<std::string> words;  ///< of a choice
    bool fixed_length = false;       ///< of numbers: exactly as many as the value has
    std::string seam;                ///< of a selection: what the seam lists ("score")
    const Seam* table = nullptr;     ///< of a selection: the seam itself
    std::string row_key;             ///< of a selection: the key of the row's name
    /// Of a selection: a list can stand in its place, of layers, with lists of heads in it. Those in
    /// which not all are the same are of Kind::list with SeamRows::chosen.
    bool pattern = false;
    std::string fallback;         ///< of a selection: the row of an object without that key; "" where none is
    std::vector<OptionRow> rows;  ///< of a selection, with SeamRows::all: all rows of its seam
    /// Of an object; of a selection, with SeamRows::chosen: the row's name under row_key, then the
    /// options of that row; of a list its elements, which are named "0", "1", ...
    std::vector<Option> members;

    bool has_members() const { return kind == Kind::object || kind == Kind::list || (kind == Kind::selection && rows.empty()); }
};

/// Which rows of a selection's seam are in the tree.
enum class SeamRows { all, chosen };

/// The listing as a tree. Throws MachineError when selections nest deeper than 16 (a table that
/// leads back to itself), for a number that is not finite and for a text that is not UTF-8 (no
/// reader accepts these).
std::vector<Option> describe_fields(FunctionRef<void(Visitor&)> fields, SeamRows rows = SeamRows::all);

template <class T>
std::vector<Option> describe(T options = {}, SeamRows rows = SeamRows::all) {
    return describe_fields([&options](Visitor& v) { options.fields(v); }, rows);
}

/// The option, with all below it, as if it stood at `path`.
Option moved(Option option, const std::string& path);

/// The options that have a value, depth first: the members in place of what has members. Points
/// into `options`.
std::vector<const Option*> leaves(const std::vector<Option>& options);

/// Every path that the options name, chosen rows included, without empty ones.
std::vector<std::string> paths_of(FunctionRef<void(Visitor&)> fields);

/// One line of the flat listing.
struct Listed {
    const Option* option;
    std::string row;  ///< "optimizer adam": the row of the innermost selection it belongs to, "" where always there
};

/// All options of the tree, depth first, an object or a selection before those below it. Points
/// into `options`.
std::vector<Listed> flat(const std::vector<Option>& options);

/// What can stand there: "integer, 1 to 64, or "auto"", "gru or lstm", the kind of a selection's
/// seam.
std::string value_text(const Option& option);

/// Bounds for messages and help: "1 to 10", "at least 1", "" without any.
std::string range_text(const Bounds<int64_t>& bounds);
std::string range_text(const Bounds<double>& bounds);

}  // namespace attend::config
