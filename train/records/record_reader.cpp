#include "train/records/record_reader.h"

#include "core/base/files.h"
#include "core/base/json_text.h"

namespace attend {

RecordReader::RecordReader(std::string where, const Json& json) : where_(std::move(where)), json_(&json) {
    require(json.is_object(), "{}: expected a JSON object, got a JSON {}", where_, json.type_name());
}

Json RecordReader::parse(const std::string& where, const std::string& text) { return parse_json<Json>(where, text); }

const Json& RecordReader::at(const char* key) const {
    const auto found = json_->find(key);
    require(found != json_->end(), "{}: member missing: '{}', members found {}", where_, key, json_->size());
    return *found;
}

int64_t RecordReader::integer(const char* key) const {
    const Json& v = at(key);
    require(v.is_number_integer(), "{}: {}: expected an integer, got a JSON {}", where_, key, v.type_name());
    require(v.is_number_unsigned() ? v.get<uint64_t>() <= uint64_t{1} << 62 : v.get<int64_t>() >= 0,
            "{}: {}: out of range: value {}, least 0", where_, key, v.dump());
    return v.get<int64_t>();
}

double RecordReader::number(const char* key) const { return number_from_json(at(key), where_ + ": " + key); }

std::vector<double> RecordReader::numbers(const char* key) const {
    const Json& v = at(key);
    require(v.is_array(), "{}: {}: expected a list of numbers, got a JSON {}", where_, key, v.type_name());
    std::vector<double> all;
    for (const Json& number : v) all.push_back(number_from_json(number, where_ + ": " + key));
    return all;
}

std::string RecordReader::text(const char* key) const {
    const Json& v = at(key);
    require(v.is_string(), "{}: {}: expected a text, got a JSON {}", where_, key, v.type_name());
    return v.get<std::string>();
}

std::string checksum(const Json& json) {
    const std::string text = json.dump();
    return crc_text(crc32_of(std::as_bytes(std::span(text.data(), text.size()))));
}

std::string crc_text(uint32_t crc32) { return fmt::format("{:08x}", crc32); }

}  // namespace attend
