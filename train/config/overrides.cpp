#include "train/config/overrides.h"

#include <filesystem>

#include "data/text/utf8.h"
#include "train/config/utf8.h"
#include "train/config/words.h"

namespace attend::config {

namespace {

std::vector<std::string> keys_of(std::string_view key_path, const Place& place) {
    const std::vector<std::string> keys = parts_of(key_path, '.');
    const auto empty = std::find(keys.begin(), keys.end(), "");
    require(empty == keys.end(), "{}: empty part in a key path: part {}, '{}'", place.text(), empty - keys.begin() + 1,
            utf8::printable(key_path));
    require(keys.size() <= deepest_nesting, "{}: key path too deep: more than {} parts", place.text(), deepest_nesting);
    return keys;
}

Value implied_object(const Place& place) {
    Value v;
    v.kind = Value::Kind::object;
    v.implied = true;
    v.place = place;
    return v;
}

// Turns `value`, which a key path leads through, into an object, or into a list where it is one.
void open_up(Value& value, const std::string& path, const Place& place) {
    if (value.kind == Value::Kind::word && value.text.find_first_of("{\"[") == 0)
        value = parse_word(value);
    if (value.kind == Value::Kind::object || value.kind == Value::Kind::list)
        return;
    const bool shorthand = value.kind == Value::Kind::text || value.kind == Value::Kind::word;
    require(shorthand, "{}: nothing can be set below '{}': it holds {}, set at {}", place.text(), utf8::printable(path),
            described(value), value.place.text());
    Value object = implied_object(place);
    object.elements.push_back(std::move(value));
    value = std::move(object);
}

// The element of the list at `path` that `part` of a key path names; `rest` is what follows it.
Value& element(Value& list, const std::string& part, const std::string& path, const std::string& rest, const Place& place) {
    const std::size_t count = list.elements.size();
    const std::string what = fmt::format("'{}' is a list of {}, set at {}", utf8::printable(path), count, list.place.text());
    if (!is_index(part)) {
        const bool lists = count > 0 && list.elements[0].kind == Value::Kind::list;
        fail("{}: an element of the list is not named: {}{}", place.text(), what,
             count == 0 ? ""
                        : fmt::format("; {}.0{}.{}{} is in its first element; each element is set by itself", path,
                                      lists ? ".0" : "", part, rest));
    }
    const std::size_t index = std::stoul(part);
    require(index < count, "{}: no such element: {}, {}; the first is 0", place.text(), part, what);
    return list.elements[index];
}

// Where the command line has set something below `value`, which is at `key_path`; null: nowhere.
const Place* set_inside(const Value& value, const std::string& prefix) {
    const auto within = [&](const Place& place, const Value& inner) -> const Place* {
        const Source* source = place.source.get();
        if (source != nullptr && source->kind == Source::Kind::command_line && source->name.starts_with(prefix))
            return &place;
        return set_inside(inner, prefix);
    };
    for (const Member& member : value.members)
        if (const Place* inside = within(member.place, member.value))
            return inside;
    for (const Value& element : value.elements)
        if (const Place* inside = within(element.place, element))
            return inside;
    return nullptr;
}
const Place* set_below(const Value& document, std::string_view key_path) {
    const Value* at = &document;
    for (const std::string& key : parts_of(key_path, '.')) {
        const bool list = at->kind == Value::Kind::list;
        const bool inside = list && is_index(key) && std::stoul(key) < at->elements.size();
        const Member* member = at->find(key);
        if (!inside && member == nullptr)
            return nullptr;
        at = inside ? &at->elements[std::stoul(key)] : &member->value;
    }
    return set_inside(*at, fmt::format("--set {}.", key_path));
}

}  // namespace

Value with(Value document, std::string_view key_path, Value value) {
    const Place place = value.place;
    Value* at = &document;
    Member* member = nullptr;  // null: `at` is an element of a list
    std::string path;
    for (const std::string& key : keys_of(key_path, place)) {
        if (at != &document)
            open_up(*at, path, place);
        const std::string longer = (path.empty() ? "" : path + ".") + key;
        if (at->kind == Value::Kind::list) {
            at = &element(*at, key, path, std::string(key_path.substr(longer.size())), place);
            member = nullptr;
        } else {
            member = at->find(key);
            if (member == nullptr)
                member = &at->members.emplace_back(Member{key, place, implied_object(place)});
            at = &member->value;
        }
        path = longer;
    }
    if (member != nullptr)
        member->place = place;
    *at = std::move(value);
    return document;
}

bool is_index(std::string_view part) {
    constexpr std::size_t digits = 6;
    return !part.empty() && part.size() <= digits && part.find_first_not_of("0123456789") == std::string_view::npos &&
           (part.size() == 1 || part[0] != '0');
}

Value set(Value document, std::string_view assignment) {
    Source source{"--set " + utf8::printable(assignment, 80), "", Source::Kind::command_line};
    const auto equals = assignment.find('=');
    require(equals != std::string_view::npos, "{}: not KEY=VALUE: there is no '='; write --set train.steps=100", source.name);
    if (const std::size_t bad = first_invalid_utf8(assignment); bad != std::string_view::npos)
        fail("{}: invalid UTF-8: byte 0x{:02x} at offset {}", source.name, static_cast<unsigned char>(assignment[bad]), bad);
    std::error_code error;
    source.folder = std::filesystem::current_path(error).string();
    require(!error, "{}: the working folder cannot be found: {}", source.name, error.message());

    const std::string_view key_path = assignment.substr(0, equals);
    if (const Place* undone = set_below(document, key_path))
        fail("{}: comes after and would undo {}: put it first", source.name, undone->text());

    Value word;
    word.kind = Value::Kind::word;
    word.text = assignment.substr(equals + 1);
    word.place.source = std::make_shared<const Source>(std::move(source));
    return with(std::move(document), key_path, std::move(word));
}

Value parse_word(const Value& word) { return parse_value(word.text, word.place.source); }

}  // namespace attend::config
