#include "train/config/document.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <streambuf>
#include <unordered_map>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/json_text.h"
#include "data/text/text_form.h"
#include "data/text/utf8.h"
#include "train/config/utf8.h"

namespace attend::config {

static_assert(deepest_nesting == deepest_json);

std::string Place::text() const {
    if (source->kind == Source::Kind::command_line)
        return source->name;
    return fmt::format("{}:{}", source->name, line);
}

const Member* Value::find(std::string_view key) const {
    for (const Member& m : members)
        if (m.key == key)
            return &m;
    return nullptr;
}
Member* Value::find(std::string_view key) { return const_cast<Member*>(std::as_const(*this).find(key)); }

namespace {

// Hands the text to the parser and counts lines, as the parser does not pass positions to its
// events. The lexer reads at most one character past a number (and gives it back), never past any
// other token, so the line *before* the last character taken is the token's.
struct Cursor final : std::streambuf {
    const char* begin;
    const char* line_begin;
    const char* taken;  // one past the last character handed out
    const char* end;
    int line = 1;

    explicit Cursor(std::string_view text) : begin(text.data()), line_begin(begin), taken(begin), end(begin + text.size()) {}
    int_type uflow() override {
        if (taken == end)
            return traits_type::eof();
        if (taken > begin && taken[-1] == '\n') {
            ++line;
            line_begin = taken;
        }
        return traits_type::to_int_type(*taken++);
    }
    int64_t column() const { return taken - line_begin; }
    // The word that contains the last character taken, or that ended before it: "NaN", "-Infinity",
    // "True"; "" for none.
    std::string_view word() const {
        const auto inside = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; };
        const char* first = taken > begin && !inside(taken[-1]) ? taken - 1 : taken;
        const char* last = first;
        while (first > begin && inside(first[-1])) --first;
        while (last < end && inside(*last)) ++last;
        return {first, static_cast<std::size_t>(last - first)};
    }
    // The line up to and with the last character taken, or the end of that.
    std::string line_so_far() const {
        constexpr std::ptrdiff_t most = 30;
        const char* first = taken - line_begin > most ? taken - most : line_begin;
        while (first < taken && (static_cast<unsigned char>(*first) & 0xc0) == 0x80) ++first;  // not inside a character
        return utf8::printable(std::string_view(first, static_cast<std::size_t>(taken - first)));
    }
};

// A hint for a word that is not JSON.
const char* hint_for(const Cursor& cursor) {
    if (cursor.taken > cursor.begin && cursor.taken[-1] == '\'')
        return "; text stands in double quotes, not in single ones";
    std::string word(cursor.word());
    if (word.empty())
        return "";
    for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (word == "nan" || word == "inf" || word == "infinity" || word == "-inf" || word == "-infinity")
        return "; JSON has no NaN and no infinity";
    if (word == "true" || word == "false" || word == "null" || word == "none")
        return "; JSON writes true, false and null, in small letters";
    return "; text stands in double quotes";
}

class Builder final : public nlohmann::json_sax<nlohmann::json> {
  public:
    Builder(std::shared_ptr<const Source> source, const Cursor& cursor) : source_(std::move(source)), cursor_(cursor) {}

    bool null() override { return put(make(Value::Kind::null)); }
    bool boolean(bool b) override {
        Value v = make(Value::Kind::boolean);
        v.boolean = b;
        return put(std::move(v));
    }
    bool number_integer(int64_t n) override {
        Value v = make(Value::Kind::integer);
        v.integer = n;
        v.number = static_cast<double>(n);
        return put(std::move(v));
    }
    bool number_unsigned(uint64_t n) override {
        if (n <= static_cast<uint64_t>(INT64_MAX))
            return number_integer(static_cast<int64_t>(n));
        return number_float(static_cast<double>(n), std::to_string(n));
    }
    bool number_float(double x, const std::string& written) override {
        Value v = make(Value::Kind::number);
        v.number = x;
        v.text = written;
        return put(std::move(v));
    }
    bool string(std::string& s) override {
        Value v = make(Value::Kind::text);
        v.text = std::move(s);
        return put(std::move(v));
    }
    bool binary(nlohmann::json::binary_t&) override { return false; }  // JSON text has none
    bool start_object(std::size_t) override { return open(Value::Kind::object); }
    bool start_array(std::size_t) override { return open(Value::Kind::list); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(std::string& k) override {
        Level& level = levels_.back();
        const Place here = place();
        const auto [at, fresh] = level.lines.emplace(k, here.line);
        require(fresh, "{}: duplicate key: '{}' stands on line {} and on line {}", here.text(), utf8::printable(k), at->second,
                here.line);
        level.key = std::move(k);
        level.key_place = here;
        return true;
    }

    bool parse_error(std::size_t, const std::string& last_token, const nlohmann::detail::exception& e) override {
        const std::string where = place().text();
        if (e.id == 406)
            fail("{}: number out of range: value {}, largest 1.797e308", where, utf8::printable(last_token, 40));
        if (levels_.empty() && count_ > 0)
            fail("{}: text after the end of the value: column {}, at '{}'", where, cursor_.column(), cursor_.line_so_far());
        // "[...] parse error at line 1, column 8: syntax error while parsing CONTEXT - DETAIL[;
        // last read: 'TOKEN'][; expected X]" TOKEN may begin on an earlier line and be megabytes
        // long: the line read so far is more useful.
        const auto cut = [](std::string& text, std::string_view mark) {
            const auto at = text.find(mark);
            if (at == std::string::npos)
                return std::string();
            std::string after = text.substr(at + mark.size());
            text.erase(at);
            return after;
        };
        std::string message = e.what();
        std::string context = cut(message, "while parsing ");
        std::string detail = cut(context, " - ");
        std::string expected = cut(detail, "; expected ");
        cut(detail, "; last read: '");
        const char* hint = "";
        if ((detail == "unexpected '}'" || detail == "unexpected ']'") && (context == "object key" || context == "value"))
            hint = "; remove the comma before it";
        else if (detail == "unexpected string literal" && (context == "object" || context == "array"))
            hint = "; a comma is missing before it";
        else if (detail == "invalid literal" || (detail.starts_with("invalid number") && cursor_.word().starts_with("-")))
            hint = hint_for(cursor_);
        if (detail.starts_with("invalid"))
            expected = "";  // the detail is enough
        if (!expected.empty())
            expected = ", expected " + expected;
        fail("{}: syntax error in {}: {}{}: column {}, at '{}'{}", where, context, detail, expected, cursor_.column(),
             cursor_.line_so_far(), hint);
    }

    Value take() { return std::move(root_); }

  private:
    struct Level {
        Value value;
        std::string key;
        Place key_place;
        std::unordered_map<std::string, int> lines;
    };

    Place place() const { return {source_, cursor_.line}; }
    Value make(Value::Kind kind) const {
        Value v;
        v.kind = kind;
        v.place = place();
        return v;
    }
    bool open(Value::Kind kind) {
        require(levels_.size() < deepest_nesting, "{}: nested too deeply: depth {}, limit {}", place().text(),
                levels_.size() + 1, deepest_nesting);
        levels_.emplace_back().value = make(kind);
        return true;
    }
    bool close() {
        Value v = std::move(levels_.back().value);
        levels_.pop_back();
        return put(std::move(v));
    }
    bool put(Value v) {
        ++count_;
        require(count_ <= most_values, "{}: too many values: value {}, limit {}", place().text(), count_, most_values);
        if (levels_.empty()) {
            root_ = std::move(v);
        } else if (Level& level = levels_.back(); level.value.kind == Value::Kind::object) {
            level.value.members.push_back(Member{std::move(level.key), level.key_place, std::move(v)});
        } else {
            level.value.elements.push_back(std::move(v));
        }
        return true;
    }

    std::shared_ptr<const Source> source_;
    const Cursor& cursor_;
    std::vector<Level> levels_;
    Value root_;
    std::size_t count_ = 0;
};

Place place_of_byte(std::string_view text, std::size_t position, const std::shared_ptr<const Source>& source) {
    return {source, static_cast<int>(place_of(text, position, {}).line)};
}

}  // namespace

Value parse_value(std::string_view text, std::shared_ptr<const Source> source) {
    // The lexer treats a NUL byte as the end of the text and does not check comments, so both are
    // checked here.
    if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos)
        fail("{}: invalid UTF-8: byte 0x{:02x} at offset {} of {}", place_of_byte(text, bad, source).text(),
             static_cast<unsigned char>(text[bad]), bad, text.size());
    if (const auto nul = text.find('\0'); nul != std::string_view::npos)
        fail("{}: NUL byte in the text: offset {} of {}", place_of_byte(text, nul, source).text(), nul, text.size());
    require(text.find_first_not_of(" \t\r\n") != std::string_view::npos && text != "\xEF\xBB\xBF",
            "{}: empty: {} bytes, expected a JSON value", Place{source, 1}.text(), text.size());

    Cursor cursor(text);
    std::istream stream(&cursor);
    Builder builder(std::move(source), cursor);
    constexpr auto strict = true;
    constexpr auto ignore_comments = true;
    nlohmann::json::sax_parse(stream, &builder, nlohmann::json::input_format_t::json, strict, ignore_comments);
    return builder.take();
}

Value parse_object(std::string_view text, std::shared_ptr<const Source> source) {
    Value v = parse_value(text, std::move(source));
    require(v.kind == Value::Kind::object, "{}: wrong type: expected an object {{...}}, got {}", v.place.text(), described(v));
    return v;
}

std::shared_ptr<const Source> file_source(const std::string& path) {
    return std::make_shared<const Source>(Source{path, absolute_path(path).parent_path().string(), Source::Kind::file});
}

Value load(const std::string& path) {
    const std::string text = read_file(path, largest_file, Pipes::read);
    text_begin(std::string_view(text).substr(0, text_form_bytes), path);  // refuses wide characters by name
    return parse_object(text, file_source(path));
}

std::string described(const Value& v) {
    switch (v.kind) {
        case Value::Kind::null:
            return "null";
        case Value::Kind::boolean:
            return v.boolean ? "true" : "false";
        case Value::Kind::integer:
            return std::to_string(v.integer);
        case Value::Kind::number:
            return utf8::printable(v.text, 40);
        case Value::Kind::text:
            return fmt::format("the text '{}'", utf8::printable(v.text, 40));
        case Value::Kind::word:
            return fmt::format("'{}'", utf8::printable(v.text, 40));
        case Value::Kind::list:
            return fmt::format("a list of {}", v.elements.size());
        case Value::Kind::object:
            return "an object";
    }
    return "";
}

}  // namespace attend::config
