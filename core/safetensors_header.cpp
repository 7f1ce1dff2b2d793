#include "core/safetensors_header.h"

#include <algorithm>
#include <array>
#include <set>

namespace attend::ATTEND_PRECISION {

namespace {
using detail::in_quotes;

struct DtypeRow {
    Dtype dtype;
    const char* name;
    int64_t bytes;
};
constexpr DtypeRow dtypes[] = {
    {Dtype::boolean, "BOOL", 1},    {Dtype::u8, "U8", 1},   {Dtype::i8, "I8", 1},   {Dtype::f8_e5m2, "F8_E5M2", 1},
    {Dtype::f8_e4m3, "F8_E4M3", 1}, {Dtype::u16, "U16", 2}, {Dtype::i16, "I16", 2}, {Dtype::f16, "F16", 2},
    {Dtype::bf16, "BF16", 2},       {Dtype::u32, "U32", 4}, {Dtype::i32, "I32", 4}, {Dtype::f32, "F32", 4},
    {Dtype::u64, "U64", 8},         {Dtype::i64, "I64", 8}, {Dtype::f64, "F64", 8},
};
const DtypeRow& row_of(Dtype dtype) { return dtypes[static_cast<std::size_t>(dtype)]; }

// Length of the valid UTF-8 character at the start of `text` (Unicode 15, table 3-7), or 0.
std::size_t character_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
        return at(i) >= low && at(i) <= high;
    };
    const unsigned first = at(0);
    if (text.empty())
        return 0;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef)
        return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
    return 0;
}

void append_utf8(std::string& text, uint32_t code) {
    const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xc0 | code >> 6);
        put(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        put(0xe0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    } else {
        put(0xf0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3f));
        put(0x80 | (code >> 6 & 0x3f));
        put(0x80 | (code & 0x3f));
    }
}

// The header's JSON: objects, strings, unsigned integers and arrays of those, in the one form that the format allows. Each
// level of nesting is a function of its own, so the depth is bounded.
class HeaderParser {
  public:
    HeaderParser(std::string where, std::string_view text) : where_(std::move(where)), text_(text) {}

    void parse(std::vector<TensorInfo>& tensors, Metadata& metadata) {
        if (peek() != '{')
            fail_at("an object");  // no white space before it, says the format
        std::set<std::string, std::less<>> names;
        members([&](const std::string& name) {
            require(names.insert(name).second, "{}: safetensors header: name comes twice: {}, byte {} of {}", where_,
                    in_quotes(name), at_, text_.size());
            if (name == "__metadata__")
                members([&](const std::string& key) {
                    require(metadata.emplace(key, string()).second,
                            "{}: safetensors header: name comes twice: {} in __metadata__, byte {} of {}", where_,
                            in_quotes(key), at_, text_.size());
                });
            else
                tensors.push_back(tensor(name));
        });
        skip_space();
        if (at_ != text_.size())
            fail_at("the end of the header");
    }

  private:
    static constexpr char end = '\0';

    char peek() const { return at_ < text_.size() ? text_[at_] : end; }
    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
            ++at_;
    }
    [[noreturn]] void fail_at(const char* expected) const {
        fail("{}: safetensors header: expected {}: byte {} of {}", where_, expected, at_, text_.size());
    }
    void expect(char c, const char* name) {
        skip_space();
        if (at_ >= text_.size() || text_[at_] != c)
            fail_at(name);
        ++at_;
    }
    // Whether another one follows after a comma; takes the closing sign otherwise.
    bool more(char closing, const char* expected) {
        skip_space();
        const char c = peek();
        if (c != ',' && c != closing)
            fail_at(expected);
        ++at_;
        return c == ',';
    }

    // An object: calls member(name) where the value stands.
    void members(FunctionRef<void(const std::string&)> member) {
        expect('{', "'{'");
        skip_space();
        if (peek() == '}') {
            ++at_;
            return;
        }
        do {
            const std::string name = string();
            expect(':', "':'");
            member(name);
        } while (more('}', "',' or '}'"));
    }

    template <class Element>
    void elements(Element element) {
        expect('[', "'['");
        skip_space();
        if (peek() == ']') {
            ++at_;
            return;
        }
        do element();
        while (more(']', "',' or ']'"));
    }

    uint32_t hexadecimal() {
        uint32_t code = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            const int digit = c >= '0' && c <= '9'   ? c - '0'
                              : c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                     : -1;
            if (digit < 0)
                fail_at("four hexadecimal digits");
            code = code * 16 + static_cast<uint32_t>(digit);
        }
        return code;
    }

    void escape(std::string& text) {
        constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        const char c = peek();
        if (const std::size_t i = at_ < text_.size() ? letters.find(c) : std::string_view::npos; i != std::string_view::npos) {
            text += meanings[i];
            ++at_;
            return;
        }
        if (c != 'u')
            fail_at("an escape of JSON");
        ++at_;
        uint32_t code = hexadecimal();
        if (code >= 0xd800 && code < 0xdc00) {  // the first half of a pair
            if (text_.substr(at_, 2) != "\\u")
                fail_at("the second half of a surrogate pair");
            at_ += 2;
            const uint32_t low = hexadecimal();
            if (low < 0xdc00 || low >= 0xe000)
                fail_at("the second half of a surrogate pair");
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (code >= 0xdc00 && code < 0xe000) {
            fail_at("no second half of a surrogate pair alone");
        }
        append_utf8(text, code);
    }

    std::string string() {
        expect('"', "a string");
        std::string text;
        for (;;) {
            if (at_ >= text_.size() || static_cast<unsigned char>(text_[at_]) < 0x20)
                fail_at("'\"' at the end of a string");
            if (text_[at_] == '"')
                break;
            if (text_[at_] == '\\') {
                ++at_;
                escape(text);
                continue;
            }
            const std::size_t n = character_length(text_.substr(at_));
            if (n == 0)
                fail_at("valid UTF-8");
            text += text_.substr(at_, n);
            at_ += n;
        }
        ++at_;
        return text;
    }

    uint64_t integer() {
        skip_space();
        const auto digit = [&] { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; };
        if (!digit())
            fail_at("an unsigned integer");
        uint64_t value = 0;
        const std::size_t first = at_;
        for (; digit(); ++at_) {
            if (at_ > first && text_[first] == '0')
                fail_at("an unsigned integer without leading zeros");
            if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
                __builtin_add_overflow(value, static_cast<uint64_t>(text_[at_] - '0'), &value))
                fail_at("an unsigned integer of at most 64 bits");
        }
        return value;
    }

    TensorInfo tensor(const std::string& name) {
        TensorInfo info;
        info.name = name;
        bool has_dtype = false, has_shape = false, has_offsets = false;
        const auto once = [&](bool& seen, const std::string& key) {
            require(!seen, "{}: tensor {}: field comes twice: {}, byte {} of {}", where_, in_quotes(name), key, at_,
                    text_.size());
            seen = true;
        };
        members([&](const std::string& key) {
            if (key == "dtype") {
                once(has_dtype, key);
                const std::string word = string();
                const auto* found =
                    std::find_if(std::begin(dtypes), std::end(dtypes), [&](const DtypeRow& r) { return word == r.name; });
                require(found != std::end(dtypes), "{}: tensor {}: unknown dtype: {}, byte {} of {}", where_, in_quotes(name),
                        in_quotes(word), at_, text_.size());
                info.dtype = found->dtype;
            } else if (key == "shape") {
                once(has_shape, key);
                info.shape = shape(name);
            } else if (key == "data_offsets") {
                once(has_offsets, key);
                uint64_t offsets[2] = {};
                std::size_t count = 0;
                elements([&] {
                    if (count == 2)
                        fail_at("two offsets");
                    offsets[count++] = integer();
                });
                if (count != 2)
                    fail_at("two offsets");
                info.begin = offsets[0];
                info.end = offsets[1];
            } else {
                fail("{}: tensor {}: unknown field: {}, byte {} of {}", where_, in_quotes(name), in_quotes(key), at_,
                     text_.size());
            }
        });
        require(has_dtype && has_shape && has_offsets, "{}: tensor {}: field missing: {}, byte {} of {}", where_,
                in_quotes(name),
                !has_dtype   ? "dtype"
                : !has_shape ? "shape"
                             : "data_offsets",
                at_, text_.size());
        return info;
    }

    Shape shape(const std::string& name) {
        std::array<int64_t, Shape::max_rank> sizes{};
        std::size_t rank = 0;
        // The bound is on the product of the sizes that are not zero, so that nothing overflows anywhere (as in Shape).
        auto product = int64_t{1};
        elements([&] {
            const uint64_t n = integer();
            if (n > 0) {
                require(n <= static_cast<uint64_t>(Shape::max_size / product),
                        "{}: tensor {}: too many elements: limit {}, axis {} has {}", where_, in_quotes(name), Shape::max_size,
                        rank, n);
                product *= static_cast<int64_t>(n);
            }
            if (rank < sizes.size())
                sizes[rank] = static_cast<int64_t>(n);
            ++rank;
        });
        require(rank <= sizes.size(), "{}: tensor {}: too many axes: rank {}, limit {}", where_, in_quotes(name), rank,
                sizes.size());
        return Shape(std::span<const int64_t>(sizes.data(), rank));
    }

    std::string where_;
    std::string_view text_;
    std::size_t at_ = 0;
};
}  // namespace

const char* dtype_name(Dtype dtype) { return row_of(dtype).name; }
int64_t dtype_bytes(Dtype dtype) { return row_of(dtype).bytes; }

namespace detail {
std::string in_quotes(std::string_view name) {
    std::string text = "'";
    for (const char c : name.substr(0, 100)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return text + (name.size() > 100 ? "...'" : "'");
}

std::string json_string(const std::string& where, std::string_view text) {
    std::string json = "\"";
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = character_length(text.substr(i));
        if (n == 0)
            fail("{}: text is not valid UTF-8: {}, byte {} of {}", where, in_quotes(text), i, text.size());
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\')
            json += {'\\', static_cast<char>(c)};
        else if (c < 0x20)
            json += fmt::format("\\u{:04x}", c);
        else
            json += text.substr(i, n);
        i += n;
    }
    return json + '"';
}

void parse_safetensors_header(const std::string& where, std::string_view text, std::vector<TensorInfo>& tensors,
                              Metadata& metadata) {
    HeaderParser(where, text).parse(tensors, metadata);
}
}  // namespace detail

}  // namespace attend::ATTEND_PRECISION
