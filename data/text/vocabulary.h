#pragma once
/// The symbols of a text and their ids: after the special ids of core/base/ids.h, or alone.
///
/// File format: the line "attend vocabulary 1: N symbols" (ids of their own: "attend vocabulary 1:
/// N symbols, own ids"), then N lines, one symbol each, in the order of the ids. A symbol is valid
/// UTF-8 and not empty; backslash is written \\, bytes 0x00 ... 0x1f and 0x7f are written \xHH with
/// two lower-case hexadecimal digits. Each line ends with a line feed.
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.h"

namespace attend {

/// Whose the first ids are. Pairs of sequences need padding, begin, end and unknown: `shared`, ids
/// 0 ... 3 are those of core/base/ids.h and the symbols follow. Language models have the ids of
/// their vocabulary and nothing else: `own`, from 0.
enum class Specials { shared, own };

/// The id of the first symbol that is not special.
constexpr int32_t first_id(Specials specials) { return specials == Specials::shared ? int32_t{first_free_id} : 0; }
/// The symbol of an id; "<pad>", "<s>", "</s>" and "<unk>" below `first`. Throws Error, naming
/// `owner`, for an id out of range.
const std::string& symbol_of(std::string_view owner, const std::vector<std::string>& symbols, int32_t first, int32_t id);

/// The symbol that stands for unknown ones where ids are `own`, if there is such a symbol.
constexpr const char* unknown_symbol = "<unk>";
/// What Vocabulary::id() says where nothing stands for an unknown symbol.
constexpr int32_t id_none = -1;

/// Hashes texts so that a map of strings can be asked for a string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};
template <class T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

/// Which training symbols get an id.
struct VocabularyLimits {
    int64_t min_count = 1;  ///< symbols seen less often are unknown
    int64_t max_size = 0;   ///< at most this many symbols, special ids not counted; 0: no limit
};

class Vocabulary {
  public:
    Vocabulary() = default;
    /// These symbols in this order. Throws Error for an empty symbol or one given twice.
    explicit Vocabulary(std::vector<std::string> symbols, Specials specials = Specials::shared);

    Specials specials() const { return specials_; }
    /// The id of the first symbol.
    int32_t first() const { return first_id(specials_); }
    /// Ids are 0 ... size() - 1, the special ones included.
    int64_t size() const { return first() + static_cast<int64_t>(symbols_.size()); }
    /// For a symbol that is not there id_unknown, or with ids of its own that of unknown_symbol,
    /// id_none without one.
    int32_t id(std::string_view symbol) const;
    /// The symbol; "<pad>", "<s>", "</s>" and "<unk>" for the shared special ids. Throws Error for
    /// an id out of range.
    const std::string& symbol(int32_t id) const;
    const std::vector<std::string>& symbols() const { return symbols_; }

    /// Writes the file format above. Throws as write_file_atomically().
    void save(const std::string& file) const;
    /// Reads it. Throws Error naming file and line for anything else than what save() of such a
    /// vocabulary writes.
    static Vocabulary load(const std::string& file, Specials specials = Specials::shared);

  private:
    std::vector<std::string> symbols_;
    TextMap<int32_t> ids_;
    Specials specials_ = Specials::shared;
    int32_t unknown_ = id_unknown;
};

/// Counts symbols.
class SymbolCounter {
  public:
    void add(std::string_view symbol) {
        if (const auto at = counts_.find(symbol); at != counts_.end())
            ++at->second;
        else
            counts_.emplace(symbol, 1);
    }
    /// What is kept, by falling count, then by bytes. Throws Error when no symbol is left, or when
    /// limits.min_count < 1 or limits.max_size < 0.
    std::vector<std::string> symbols(const VocabularyLimits& limits) const;
    /// The vocabulary of these symbols with shared special ids.
    Vocabulary vocabulary(const VocabularyLimits& limits) const { return Vocabulary(symbols(limits)); }

  private:
    TextMap<int64_t> counts_;
};

}  // namespace attend
