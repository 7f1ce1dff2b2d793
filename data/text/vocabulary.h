#pragma once
/// The symbols of one side of a task and their ids. Ids 0 ... 3 are the special ids of core/ids.h; the symbols follow.
///
/// File format: the line "attend vocabulary 1: N symbols", then N lines, one symbol each, in the order of the ids from
/// first_free_id on. A symbol is valid UTF-8 and not empty; backslash is written \\, bytes 0x00 ... 0x1f and 0x7f are written
/// \xHH with two lower-case hexadecimal digits. Each line ends with a line feed.
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ids.h"

namespace attend::inline ATTEND_PRECISION {

/// Which training symbols get an id.
struct VocabularyLimits {
    int64_t min_count = 1;  ///< symbols seen less often are unknown
    int64_t max_size = 0;   ///< at most this many symbols, special ids not counted; 0: no limit
};

class Vocabulary {
  public:
    Vocabulary() = default;
    /// These symbols in this order. Throws Error for an empty symbol or one given twice.
    explicit Vocabulary(std::vector<std::string> symbols);

    /// Ids are 0 ... size() - 1, the special ones included.
    int64_t size() const { return first_free_id + static_cast<int64_t>(symbols_.size()); }
    /// id_unknown for a symbol that is not there.
    int32_t id(std::string_view symbol) const;
    /// The symbol; "<pad>", "<s>", "</s>" and "<unk>" for the special ids. Throws Error for an id out of range.
    const std::string& symbol(int32_t id) const;
    const std::vector<std::string>& symbols() const { return symbols_; }

    /// Writes the file format above. Throws as write_file_atomically().
    void save(const std::string& file) const;
    /// Reads it. Throws Error naming file and line for anything else than what save() writes.
    static Vocabulary load(const std::string& file);

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    };
    std::vector<std::string> symbols_;
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
};

/// Counts symbols and makes the vocabulary: by falling count, then by bytes.
class SymbolCounter {
  public:
    /// The text that `symbol` lies in must outlive the counter.
    void add(std::string_view symbol) { ++counts_[symbol]; }
    /// Throws Error when no symbol is left, or when limits.min_count < 1 or limits.max_size < 0.
    Vocabulary vocabulary(const VocabularyLimits& limits) const;

  private:
    std::unordered_map<std::string_view, int64_t> counts_;
};

}  // namespace attend::inline ATTEND_PRECISION
