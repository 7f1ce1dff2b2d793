#include "core/base/json_text.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json_events.h"

namespace attend {

namespace {

// The byte of the first bracket that opens a level too many; npos where none does. Of a text that
// is no JSON it may say either: the parser complains of that.
std::size_t first_too_deep(std::string_view text) {
    int depth = 0;
    bool inside = false;  // a string
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (inside && c == '\\')
            ++i;
        else if (c == '"')
            inside = !inside;
        else if (!inside && (c == '[' || c == '{') && ++depth > deepest_json)
            return i;
        else if (!inside && (c == ']' || c == '}'))
            --depth;
    }
    return std::string_view::npos;
}

// What the parser says without its own name and without the text it last read, which may be the
// rest of the file: "[...] parse error at line 1, column 8: syntax error while parsing CONTEXT -
// DETAIL[; last read: 'TOKEN'][; expected X]".
std::string complaint(const nlohmann::detail::exception& e) {
    constexpr int out_of_range = 406;
    if (e.id == out_of_range)
        return "number out of range: largest 1.797e308";
    std::string text = e.what();
    if (const std::size_t end = text.find("] "); text.starts_with('[') && end != std::string::npos)
        text.erase(0, end + 2);
    if (text.starts_with("parse error at "))
        text.erase(0, std::string_view("parse error at ").size());
    if (const std::size_t token = text.find("; last read: '"); token != std::string::npos) {
        const std::size_t expected = text.rfind("; expected ");
        text.erase(token, expected == std::string::npos || expected < token ? std::string::npos : expected - token);
    }
    return text;
}

void require_no_deeper(const std::string& where, std::string_view text) {
    if (const std::size_t byte = first_too_deep(text); byte != std::string_view::npos)
        fail("{}: nested too deeply: depth {}, limit {}, line {}, byte {} of {}", where, deepest_json + 1, deepest_json,
             1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(byte), '\n'), byte + 1, text.size());
}

template <class Function>
auto not_json_as_error(const std::string& where, std::string_view text, Function read) {
    try {
        return read();
    } catch (const nlohmann::detail::exception& e) {
        fail("{}: not JSON: {} bytes, {}", where, text.size(), complaint(e));
    }
}

}  // namespace

void read_json(const std::string& where, std::string_view text, JsonEvents& events) {
    require_no_deeper(where, text);
    // The library would take a zero byte for the end of the text.
    require(text.find('\0') == std::string_view::npos, "{}: not JSON: {} bytes, byte {} is zero", where, text.size(),
            text.find('\0') + 1);
    not_json_as_error(where, text, [&] { return nlohmann::json::sax_parse(text, &events); });
}

template <class Value>
Value parse_json(const std::string& where, std::string_view text) {
    require_no_deeper(where, text);
    return not_json_as_error(where, text, [&] { return Value::parse(text); });
}

template <class Value>
std::optional<Value> json_if_valid(std::string_view text) {
    if (first_too_deep(text) != std::string_view::npos)
        return {};
    Value value = Value::parse(text, nullptr, /*allow_exceptions=*/false);
    return value.is_discarded() ? std::optional<Value>() : std::move(value);
}

template <class Value>
Value load_json(const std::filesystem::path& path, std::size_t limit) {
    return parse_json<Value>(path.string(), read_file(path, limit));
}

template nlohmann::json parse_json(const std::string&, std::string_view);
template nlohmann::ordered_json parse_json(const std::string&, std::string_view);
template std::optional<nlohmann::ordered_json> json_if_valid(std::string_view);
template nlohmann::json load_json(const std::filesystem::path&, std::size_t);
template nlohmann::ordered_json load_json(const std::filesystem::path&, std::size_t);

}  // namespace attend
