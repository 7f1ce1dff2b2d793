#include "train/study/compare/grid.h"

#include <algorithm>

#include "train/config/utf8.h"

namespace attend::compare {

namespace {

// A value's own values, with '+' between: "hard+exact".
std::string text_of(const config::Value& value) {
    switch (value.kind) {
        case config::Value::Kind::null:
            return "null";
        case config::Value::Kind::boolean:
            return value.boolean ? "true" : "false";
        case config::Value::Kind::integer:
            return std::to_string(value.integer);
        case config::Value::Kind::number:
        case config::Value::Kind::text:
        case config::Value::Kind::word:
            return value.text;
        default:
            break;
    }
    std::string all;
    const auto add = [&](const config::Value& v) { all += (all.empty() ? "" : "+") + text_of(v); };
    for (const config::Value& v : value.elements) add(v);
    for (const config::Member& m : value.members) add(m.value);
    return all;
}

// The same for equal values alone, however their numbers are written.
std::string canonical(const config::Value& value) {
    if (value.kind == config::Value::Kind::integer || value.kind == config::Value::Kind::number)
        return fmt::format("{}", value.number);
    std::string all = fmt::format("{}:", static_cast<int>(value.kind));
    if (value.kind != config::Value::Kind::list && value.kind != config::Value::Kind::object)
        return all + text_of(value);
    std::vector<std::string> parts;
    for (const config::Value& v : value.elements) parts.push_back(canonical(v));
    for (const config::Member& m : value.members) parts.push_back(m.key + "=" + canonical(m.value));
    if (value.kind == config::Value::Kind::object)
        std::ranges::sort(parts);
    for (const std::string& part : parts) all += fmt::format("{}{}", part.size(), part);
    return all;
}

std::string for_a_file(std::string text) {
    constexpr std::string_view others = "+-._";
    for (char& c : text)
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            others.find(c) == std::string_view::npos)
            c = '_';
    return text;
}

// The last `words` words of a path with dots; all of it where it has fewer.
std::string_view end_of(std::string_view path, int words) {
    std::size_t begin = path.size();
    for (; words > 0 && begin != std::string_view::npos; --words)
        begin = begin == 0 ? std::string_view::npos : path.rfind('.', begin - 1);
    return begin == std::string_view::npos ? path : path.substr(begin + 1);
}

// As many last words as no other key has.
std::string short_name(const config::Member& key, const config::Value& grid) {
    for (int words = 1;; ++words) {
        const std::string_view name = end_of(key.key, words);
        const auto same =
            std::ranges::count_if(grid.members, [&](const config::Member& m) { return end_of(m.key, words) == name; });
        if (same == 1 || name == key.key)
            return for_a_file(std::string(name));
    }
}

void check_values(const config::Member& key) {
    const config::Value& list = key.value;
    require(list.kind == config::Value::Kind::list, "{}: grid: {}: expected a list of values, got {}", list.place.text(),
            utf8::printable(key.key), config::described(list));
    require(!list.elements.empty(), "{}: grid: {}: an empty list: values 0, least 1", list.place.text(),
            utf8::printable(key.key));
    for (std::size_t i = 0; i < list.elements.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            const config::Value &a = list.elements[j], &b = list.elements[i];
            require(canonical(a) != canonical(b), "{}: grid: {}: the same value twice: {}", b.place.text(),
                    utf8::printable(key.key), utf8::printable(text_of(b)));
            require(for_a_file(text_of(a)) != for_a_file(text_of(b)),
                    "{}: grid: {}: two values that would name one folder: '{}'; give them names under 'variants'",
                    b.place.text(), utf8::printable(key.key), for_a_file(text_of(b)));
        }
}

}  // namespace

std::vector<Combination> combinations(const config::Value& grid) {
    require(grid.kind == config::Value::Kind::object && !grid.members.empty(),
            "{}: grid: expected an object of key paths and lists of values, got {} of {}", grid.place.text(),
            config::described(grid), grid.members.size());
    std::vector<Combination> all(1);
    for (const config::Member& key : grid.members) {
        check_values(key);
        for (const config::Member& other : grid.members)
            require(!key.key.starts_with(other.key + "."), "{}: grid: {}: below {}, which is a key of the grid itself",
                    key.place.text(), utf8::printable(key.key), utf8::printable(other.key));
        const std::size_t count = all.size() * key.value.elements.size();
        require(count <= most_combinations, "{}: grid: {}: too many combinations: {} with this key, limit {}", key.place.text(),
                utf8::printable(key.key), count, most_combinations);
        const std::string name = short_name(key, grid);
        std::vector<Combination> longer;
        for (const Combination& c : all)
            for (const config::Value& value : key.value.elements) {
                Combination with = c;
                with.name += (c.name.empty() ? "" : ",") + name + "=" + for_a_file(text_of(value));
                with.changes.push_back({key.key, key.place, value});
                longer.push_back(std::move(with));
            }
        all = std::move(longer);
    }
    return all;
}

}  // namespace attend::compare
