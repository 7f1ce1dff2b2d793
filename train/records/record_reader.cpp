#include "train/records/record_reader.h"

#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/json_text.h"
#include "train/records/numbers.h"

namespace attend {

namespace {

int64_t integer_of(const Json& json, const std::string& where) {
    require(json.is_number_integer(), "{}: expected an integer, got a JSON {}", where, json.type_name());
    return json.get<int64_t>();
}

std::string text_of(const Json& json, const std::string& where) {
    require(json.is_string(), "{}: expected a text, got a JSON {}", where, json.type_name());
    return json.get<std::string>();
}

template <class T>
std::vector<T> all_of(const Json& list, const std::string& where, T (*value_of)(const Json&, const std::string&)) {
    require(list.is_array(), "{}: expected a list, got a JSON {}", where, list.type_name());
    std::vector<T> all;
    for (const Json& value : list) all.push_back(value_of(value, where));
    return all;
}

std::vector<int64_t> integers_of(const Json& json, const std::string& where) { return all_of(json, where, integer_of); }

}  // namespace

RecordReader::RecordReader(std::string where, const Json& json, std::shared_ptr<const Json> owner)
    : where_(std::move(where)), owner_(std::move(owner)), json_(&json) {
    require(json.is_object(), "{}: expected a JSON object, got a JSON {}", where_, json.type_name());
}

RecordReader RecordReader::of_text(const std::string& where, const std::string& text) {
    const auto json = std::make_shared<const Json>(parse_json<Json>(where, text));
    return {where, *json, json};
}

std::vector<std::string> RecordReader::names() const {
    std::vector<std::string> all;
    for (const auto& [name, value] : json_->items()) all.push_back(name);
    return all;
}

bool RecordReader::has(const std::string& key) const { return json_->contains(key); }
bool RecordReader::is_null(const std::string& key) const { return at(key).is_null(); }

const Json& RecordReader::at(const std::string& key) const {
    const auto found = json_->find(key);
    require(found != json_->end(), "{}: member missing: '{}', members found {}", where_, key, json_->size());
    return *found;
}

int64_t RecordReader::integer(const std::string& key) const {
    const Json& v = at(key);
    const int64_t value = integer_of(v, where_ + ": " + key);
    require(v.is_number_unsigned() ? v.get<uint64_t>() <= uint64_t{1} << 62 : value >= 0,
            "{}: {}: out of range: value {}, least 0", where_, key, v.dump());
    return value;
}

double RecordReader::number(const std::string& key) const { return number_from_json(at(key), where_ + ": " + key); }
std::string RecordReader::text(const std::string& key) const { return text_of(at(key), where_ + ": " + key); }

std::vector<double> RecordReader::numbers(const std::string& key) const {
    return all_of(at(key), where_ + ": " + key, number_from_json);
}
std::vector<int64_t> RecordReader::integers(const std::string& key) const { return integers_of(at(key), where_ + ": " + key); }
std::vector<std::vector<int64_t>> RecordReader::integer_lists(const std::string& key) const {
    return all_of(at(key), where_ + ": " + key, integers_of);
}
std::vector<std::string> RecordReader::texts(const std::string& key) const {
    return all_of(at(key), where_ + ": " + key, text_of);
}

Scores RecordReader::scores(const std::string& key) const {
    const RecordReader object = this->object(key);
    Scores scores;
    for (const auto& [name, value] : object.json().items())
        scores.values.emplace_back(name, number_from_json(value, object.where() + "." + name));
    return scores;
}

std::string RecordReader::json_text(const std::string& key) const {
    return has(key) && !is_null(key) ? at(key).dump() : std::string();
}
RecordReader RecordReader::object(const std::string& key) const { return {where_ + ": " + key, at(key), owner_}; }
std::vector<RecordReader> RecordReader::objects(const std::string& key) const {
    const Json& list = at(key);
    require(list.is_array(), "{}: {}: expected a list, got a JSON {}", where_, key, list.type_name());
    std::vector<RecordReader> all;
    for (const Json& value : list) all.push_back({fmt::format("{}: {} {}", where_, key, all.size()), value, owner_});
    return all;
}

std::string checksum(const Json& json) {
    const std::string text = json.dump();
    return crc_text(crc32_of(std::as_bytes(std::span(text.data(), text.size()))));
}

std::string crc_text(uint32_t crc32) { return fmt::format("{:08x}", crc32); }

}  // namespace attend
