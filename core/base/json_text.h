#pragma once
/// The one reader of JSON texts that come from outside: bounded in depth, because what is done with
/// a value later (writing, copying, comparing it) needs a function call for each level. Only
/// configs have a reader of their own, which remembers where each value stands
/// (train/config/document.h); it has the same limit.
#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace attend {

/// Objects and lists inside one another. Nothing that this program writes, and no published file,
/// comes near it.
inline constexpr int deepest_json = 64;

/// The value in `text`, as nlohmann::json (members sorted, found quickly) or nlohmann::ordered_json
/// (members in their order). Throws Error "WHERE: ..." when the text is no JSON (line and column
/// named), or is nested deeper than deepest_json (depth, limit, line and byte named).
template <class Value>
Value parse_json(const std::string& where, std::string_view text);

/// The same for texts that may be anything: nothing in place of an error.
template <class Value>
std::optional<Value> json_if_valid(std::string_view text);

/// The value in a file. Throws Error as parse_json(), and when the file cannot be read or has more
/// than `limit` bytes.
template <class Value>
Value load_json(const std::filesystem::path& path, std::size_t limit);

extern template nlohmann::json parse_json(const std::string&, std::string_view);
extern template nlohmann::ordered_json parse_json(const std::string&, std::string_view);
extern template std::optional<nlohmann::ordered_json> json_if_valid(std::string_view);
extern template nlohmann::json load_json(const std::filesystem::path&, std::size_t);
extern template nlohmann::ordered_json load_json(const std::filesystem::path&, std::size_t);

}  // namespace attend
