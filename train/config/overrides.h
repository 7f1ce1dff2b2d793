#pragma once
/// Changes to a config before it is read: `--set`, and the variants of a comparison.
#include "train/config/document.h"

namespace attend::config {

/// `document` with `value` at the key path ("model.attention.score"), in place of what stood there. Objects on the way that are
/// missing are made; a shorthand on the way ("attention": "name") becomes an object of that type. Throws Error at value.place
/// for an empty part, a path deeper than deepest_nesting, or a way through something that is neither object nor text.
Value with(Value document, std::string_view key_path, Value value);

/// `document` changed by "KEY=VALUE" of the command line; of several for one key the last wins. The tree knows no types, so
/// VALUE is kept as a word that the option's kind gives its meaning (see reader.h). Relative paths are to the working folder.
/// Throws Error
/// `--set KEY=VALUE: ...` where there is no '=', where it would undo one before it that set something below KEY, for invalid
/// UTF-8, and as with().
Value set(Value document, std::string_view assignment);

/// The value of a word as JSON; places name the command line. Throws Error as parse_value.
Value parse_word(const Value& word);

}  // namespace attend::config
