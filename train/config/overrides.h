#pragma once
/// Changes to a config before it is read: `--set`, and the variants of a comparison.
#include "train/config/document.h"

namespace attend::config {

/// `document` with `value` at the key path ("model.attention.score"), which replaces what is there.
/// Missing objects on the path are made; a shorthand on the path ("attention": "name") becomes an
/// object of that type. A number in the path names an element of a list, from 0. Throws Error at
/// value.place for an empty part, a path deeper than deepest_nesting, a path through something that
/// is no object, list or text, and a path into a list that names no element of it.
Value with(Value document, std::string_view key_path, Value value);

/// `document` changed by "KEY=VALUE" of the command line; the last one for a key wins. The tree has
/// no types, so VALUE is kept as a word, and the option's kind decides how it is read (see
/// reader.h). Relative paths begin at the working folder. Throws Error `--set KEY=VALUE: ...` when
/// there is no '=', when it would undo an earlier one that set something below KEY, for invalid
/// UTF-8, and as with().
Value set(Value document, std::string_view assignment);

/// Whether a part of a key path can name an element of a list: "0", "12".
bool is_index(std::string_view part);

/// The value of a word as JSON; places name the command line. Throws Error as parse_value.
Value parse_word(const Value& word);

}  // namespace attend::config
