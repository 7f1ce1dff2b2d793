#include "train/records/record_writer.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/json_text.h"
#include "train/records/numbers.h"

namespace attend {

namespace {

// `key` names the member in errors.
Json to_json(const RecordWriter& record, const std::string&) { return record.json(); }
Json to_json(const JsonText& value, const std::string& key) { return parse_json<Json>(key, value.text); }
Json to_json(double value, const std::string&) { return number_to_json(value); }
Json to_json(const std::optional<double>& value, const std::string&) {
    return value && std::isfinite(*value) ? Json(*value) : Json(nullptr);
}
template <class T>
Json to_json(const T& value, const std::string&) {
    return value;
}
template <class T>
Json to_json(const std::vector<T>& values, const std::string& key) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(to_json(value, key));
    return list;
}

}  // namespace

RecordWriter::RecordWriter() : json_(std::make_unique<Json>(Json::object())) {}
RecordWriter::RecordWriter(std::initializer_list<Member> members) : RecordWriter() {
    for (const auto& [key, value] : members) set(key, value);
}
RecordWriter::RecordWriter(const Json& object) : json_(std::make_unique<Json>(object)) {}
RecordWriter::RecordWriter(const RecordWriter& other) : json_(std::make_unique<Json>(*other.json_)) {}
RecordWriter::RecordWriter(RecordWriter&& other) noexcept = default;
RecordWriter& RecordWriter::operator=(RecordWriter other) noexcept {
    std::swap(json_, other.json_);
    return *this;
}
RecordWriter::~RecordWriter() = default;

void RecordWriter::set(const std::string& key, const Value& value) {
    (*json_)[key] = std::visit([&key](const auto& v) { return to_json(v, key); }, value);
}

void RecordWriter::set_scores(const Scores& scores) {
    for (const auto& [name, value] : scores.values) set(name, value);
}
void RecordWriter::remove(const std::string& key) { json_->erase(key); }

std::string RecordWriter::text(int indent, Broken broken) const {
    using Handler = Json::error_handler_t;
    return json_->dump(indent, ' ', false, broken == Broken::replaced ? Handler::replace : Handler::strict);
}

}  // namespace attend
