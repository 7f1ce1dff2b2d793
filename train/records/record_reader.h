#pragma once
/// Reads the JSON records that a run keeps about itself (state.json, a bundle's): every complaint
/// names file and member.
#include <memory>
#include <string>
#include <vector>

#include "train/evaluate/scores.h"
#include "train/records/json.h"

namespace attend {

/// The members of one object. Each function throws Error when the member is missing or of another
/// kind.
class RecordReader {
  public:
    /// `where` begins the messages; `json` must outlive this, unless it belongs to `owner`. Throws
    /// Error when it is no object.
    RecordReader(std::string where, const Json& json, std::shared_ptr<const Json> owner = nullptr);
    /// The object in `text`, which is kept. Throws Error as parse_json() (core/base/json_text.h),
    /// and when it is no object.
    static RecordReader of_text(const std::string& where, const std::string& text);

    const std::string& where() const { return where_; }
    const Json& json() const { return *json_; }
    std::vector<std::string> names() const;
    bool has(const std::string& key) const;
    bool is_null(const std::string& key) const;

    const Json& at(const std::string& key) const;
    /// From 0 to 2^62.
    int64_t integer(const std::string& key) const;
    double number(const std::string& key) const;
    std::string text(const std::string& key) const;
    std::vector<double> numbers(const std::string& key) const;
    std::vector<int64_t> integers(const std::string& key) const;
    std::vector<std::vector<int64_t>> integer_lists(const std::string& key) const;
    std::vector<std::string> texts(const std::string& key) const;
    /// Numbers by their names.
    Scores scores(const std::string& key) const;
    /// The value as JSON; "" where there is none, or null.
    std::string json_text(const std::string& key) const;
    RecordReader object(const std::string& key) const;
    std::vector<RecordReader> objects(const std::string& key) const;

  private:
    std::string where_;
    std::shared_ptr<const Json> owner_;  // of json_, where it was read from a text
    const Json* json_;
};

/// CRC-32 of the JSON's compact text, eight hexadecimal digits.
std::string checksum(const Json& json);
/// A CRC-32 as records hold it.
std::string crc_text(uint32_t crc32);

}  // namespace attend
