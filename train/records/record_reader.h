#pragma once
/// Reads the JSON records that a run keeps about itself (state.json, a bundle's): every complaint names file and member.
#include <string>
#include <vector>

#include "train/records/numbers.h"

namespace attend {

/// The members of one object. Each function throws Error when the member is missing or of another kind.
class RecordReader {
  public:
    /// `where` begins the messages; `json` must outlive this. Throws Error when it is no object.
    RecordReader(std::string where, const Json& json);
    /// The value in `text`; throws Error as parse_json() (core/base/json_text.h).
    static Json parse(const std::string& where, const std::string& text);

    const std::string& where() const { return where_; }
    const Json& at(const char* key) const;
    /// From 0 to 2^62.
    int64_t integer(const char* key) const;
    double number(const char* key) const;
    bool has(const char* key) const { return json_->contains(key); }
    std::vector<double> numbers(const char* key) const;
    std::string text(const char* key) const;
    RecordReader object(const char* key) const { return {where_ + ": " + key, at(key)}; }

  private:
    std::string where_;
    const Json* json_;
};

/// CRC-32 of the JSON's compact text, eight hexadecimal digits.
std::string checksum(const Json& json);
/// A CRC-32 as records hold it.
std::string crc_text(uint32_t crc32);

}  // namespace attend
