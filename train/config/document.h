#pragma once
/// A JSON text as a tree that remembers where each value was written. Comments (// and /* */) are
/// allowed; duplicate keys are refused. Begin reading the config code here; reader.h gives the tree
/// its meaning.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace attend::config {

/// Where a value comes from.
struct Source {
    enum class Kind { file, command_line };
    std::string name;    ///< the file's path as the user gave it, or "--set KEY=VALUE"
    std::string folder;  ///< absolute; relative paths in it begin there
    Kind kind = Kind::file;
};

/// Where a value was written. Values may be moved between trees and keep their place.
struct Place {
    std::shared_ptr<const Source> source;
    int line = 1;
    /// "configs/x.json:14", or the source's name alone for the command line.
    std::string text() const;
};

struct Member;

/// One JSON value.
struct Value {
    enum class Kind {
        null,
        boolean,
        integer,  ///< a number written without fraction and exponent that fits int64
        number,   ///< any other number; `text` holds how it was written
        text,
        list,
        object,
        word,  ///< raw text from the command line: its option decides what it means
    };
    Kind kind = Kind::null;
    /// An object that exists only because a key path leads through it: nobody wrote it, so it need
    /// not name its type. If it replaced a shorthand ("x": "name"), the shorthand is its one
    /// element.
    bool implied = false;
    bool boolean = false;
    int64_t integer = 0;
    double number = 0;  ///< also set for an integer
    std::string text;
    Place place;
    std::vector<Member> members;
    std::vector<Value> elements;  ///< of a list

    /// The member with that key, or null.
    const Member* find(std::string_view key) const;
    Member* find(std::string_view key);
};

struct Member {
    std::string key;
    Place place;
    Value value;
};

constexpr std::size_t largest_file = std::size_t{16} << 20;
constexpr int deepest_nesting = 64;  // as of all JSON: core/base/json_text.h
constexpr std::size_t most_values = 200'000;

/// Parses one JSON value. A byte order mark is skipped. Throws Error `file:line: ...` for a syntax
/// error, an empty text, a duplicate key (both lines named), invalid UTF-8, a NUL byte, nesting
/// deeper than deepest_nesting, a number too large for a double, or more than most_values values.
/// Takes memory and time in proportion to the text.
Value parse_value(std::string_view text, std::shared_ptr<const Source> source);

/// The same where the value must be an object.
Value parse_object(std::string_view text, std::shared_ptr<const Source> source);

/// Reads and parses a config file. Throws Error when it cannot be read, is larger than
/// largest_file, or as parse_object.
Value load(const std::string& path);

/// A source for the file at `path`: its folder is the file's own, made absolute.
std::shared_ptr<const Source> file_source(const std::string& path);

/// For messages: the kind of the value, or a short value itself: "the text 'abc'", "3.5", "an
/// object", "a list of 2".
std::string described(const Value& value);

}  // namespace attend::config
