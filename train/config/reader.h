#pragma once
/// Reads a config tree into an options struct, by the struct's own listing (core/base/options.h).
///
/// What is accepted for each kind of option:
///   integer    a number without a fraction: 3, 3.0, 1e3
///   number     a number; JSON has no NaN and no infinity, so neither can be read
///   flag       true or false
///   text       a text without NUL
///   choice     one of the words
///   path       a text; a relative path is made absolute from the folder of the file it stands in (from the working folder
///              when given by --set)
///   paths      one such text, or a list of them; an empty text means none
///   numbers    a list of numbers
///   selection  the name of a row, or an object with the name under "type" (or the seam's key) and that row's options. An
///              object in a file must name its type, except where the seam has a fallback row, which it then means; an
///              object that only a --set path leads through keeps the default row.
///   pattern    as selection, or a list of these (of layers), where an element can be a list of them (of heads)
///   nested     an object
///
/// How VALUE of `--set KEY=VALUE` is read: literally for text, path and choice; for selection as a
/// row's name or a JSON object, for pattern also as a JSON list; for paths as one literal path or a
/// JSON list; for all others as JSON. A choice or a selection may stand in JSON quotes. An element of
/// a list is read as the list's option would be.
#include "core/base/options.h"
#include "train/config/document.h"

namespace attend::config {

/// Reads the members of `object` through a listing. Every key is checked; all errors are thrown as
/// one Error, one a line (`file:line: key.path: ...`), in the order of the file, those of --set
/// last; at most 20, then a count of the rest. An option that the object does not mention keeps its
/// value.
void read_fields(const Value& object, FunctionRef<void(Visitor&)> fields);

/// `options` with all that `object` mentions read into it. Throws as read_fields.
template <class T>
T read(const Value& object, T options = {}) {
    read_fields(object, [&options](Visitor& v) { options.fields(v); });
    return options;
}

}  // namespace attend::config
