#include "train/config/overrides.h"

#include <filesystem>

#include "data/text/utf8.h"
#include "train/config/utf8.h"

namespace attend::config {

namespace {

std::vector<std::string> split(std::string_view key_path, const Place& place) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0;;) {
        const std::size_t end = std::min(key_path.find('.', begin), key_path.size());
        require(end > begin, "{}: empty part in a key path: part {}, '{}'", place.text(), parts.size() + 1,
                utf8::printable(key_path));
        parts.emplace_back(key_path.substr(begin, end - begin));
        require(parts.size() <= deepest_nesting, "{}: key path too deep: more than {} parts", place.text(), deepest_nesting);
        if (end == key_path.size())
            return parts;
        begin = end + 1;
    }
}

Value implied_object(const Place& place) {
    Value v;
    v.kind = Value::Kind::object;
    v.implied = true;
    v.place = place;
    return v;
}

// Turns `value`, which a key path leads through, into an object.
void open_up(Value& value, const std::string& path, const Place& place) {
    if (value.kind == Value::Kind::word && value.text.find_first_of("{\"[") == 0)
        value = parse_word(value);
    if (value.kind == Value::Kind::object)
        return;
    const bool shorthand = value.kind == Value::Kind::text || value.kind == Value::Kind::word;
    require(shorthand, "{}: nothing can be set below '{}': it holds {}, set at {}", place.text(), utf8::printable(path),
            described(value), value.place.text());
    Value object = implied_object(place);
    object.elements.push_back(std::move(value));
    value = std::move(object);
}

// Where the command line has set something below `value`, which is at `key_path`; null: nowhere.
const Place* set_inside(const Value& value, const std::string& prefix) {
    for (const Member& member : value.members) {
        const Source* source = member.place.source.get();
        if (source != nullptr && source->kind == Source::Kind::command_line && source->name.starts_with(prefix))
            return &member.place;
        if (const Place* inside = set_inside(member.value, prefix))
            return inside;
    }
    return nullptr;
}
const Place* set_below(const Value& document, std::string_view key_path) {
    const Value* at = &document;
    for (std::size_t begin = 0; begin <= key_path.size();) {
        const std::size_t end = std::min(key_path.find('.', begin), key_path.size());
        const Member* member = at->find(key_path.substr(begin, end - begin));
        if (member == nullptr)
            return nullptr;
        at = &member->value;
        begin = end + 1;
    }
    return set_inside(*at, fmt::format("--set {}.", key_path));
}

}  // namespace

Value with(Value document, std::string_view key_path, Value value) {
    const Place place = value.place;
    const std::vector<std::string> parts = split(key_path, place);
    Value* at = &document;
    std::string path;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        path += (i ? "." : "") + parts[i];
        Member* member = at->find(parts[i]);
        if (member == nullptr) {
            at->members.push_back(Member{parts[i], place, implied_object(place)});
            member = &at->members.back();
        }
        if (last) {
            member->place = place;
            member->value = std::move(value);
            break;
        }
        open_up(member->value, path, place);
        at = &member->value;
    }
    return document;
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
