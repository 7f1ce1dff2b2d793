#pragma once
/// Builds the JSON that the program writes: records of a run, reports for programs.
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/integers.h"
#include "train/evaluate/scores.h"
#include "train/records/json.h"

namespace attend {

/// What becomes of texts that are not UTF-8.
enum class Broken {
    refused,   ///< an exception of the JSON library
    replaced,  ///< by U+FFFD
};

/// A value, as JSON.
struct JsonText {
    std::string text;
};

/// One object, with its members in the order in which they were set.
class RecordWriter {
  public:
    /// Numbers that are not finite are written as number_to_json() writes them; optional ones that
    /// are none, or not finite, as null.
    using Value =
        std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::optional<double>, std::string, std::vector<int64_t>,
                     std::vector<double>, std::vector<std::optional<double>>, std::vector<std::string>,
                     std::vector<std::vector<int64_t>>, JsonText, RecordWriter, std::vector<RecordWriter>>;
    using Member = std::pair<std::string, Value>;

    RecordWriter();
    RecordWriter(std::initializer_list<Member> members);
    /// Begins with the members of an object.
    explicit RecordWriter(const Json& object);
    RecordWriter(const RecordWriter& other);
    RecordWriter(RecordWriter&& other) noexcept;
    RecordWriter& operator=(RecordWriter other) noexcept;
    ~RecordWriter();

    /// Replaces the member of that name where there is one. Throws Error for a JsonText as
    /// parse_json() (core/base/json_text.h).
    void set(const std::string& key, const Value& value);
    void set_scores(const Scores& scores);
    void remove(const std::string& key);

    const Json& json() const { return *json_; }
    /// On one line; or a member a line, indented by so many spaces a level.
    std::string text(int indent = -1, Broken broken = Broken::refused) const;

  private:
    std::unique_ptr<Json> json_;
};

/// One object of each item.
template <class Items, class ToRecord>
std::vector<RecordWriter> records_of(const Items& items, ToRecord to_record) {
    std::vector<RecordWriter> all;
    for (const auto& item : items) all.push_back(to_record(item));
    return all;
}

}  // namespace attend
