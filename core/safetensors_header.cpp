#include "core/safetensors_header.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/error.h"
#include "core/base/json_events.h"

namespace attend {

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

// The header, read value by value in the one form that the format allows: {"__metadata__": {KEY:
// TEXT ...}, NAME: {"dtype": TEXT, "shape": [SIZE ...], "data_offsets": [BEGIN, END]} ...}.
class Header final : public JsonEvents {
  public:
    Header(const std::string& where, std::vector<TensorInfo>& tensors, Metadata& metadata)
        : where_(where), tensors_(tensors), metadata_(metadata) {}

    bool null() override { refuse(); }
    bool boolean(bool) override { refuse(); }
    bool number_integer(int64_t) override { refuse(); }
    bool number_float(double, const std::string&) override { refuse(); }

    bool number_unsigned(uint64_t n) override {
        if (inside_ == Part::shape)
            add_axis(n);
        else if (inside_ == Part::offsets && count_ < offsets_.size())
            offsets_[count_] = n;
        else
            refuse();
        ++count_;
        return true;
    }
    bool string(std::string& text) override {
        if (inside_ == Part::metadata) {
            metadata_[name_] = text;
        } else if (inside_ == Part::tensor && field_ == "dtype") {
            const auto row =
                std::find_if(std::begin(dtypes), std::end(dtypes), [&](const DtypeRow& r) { return text == r.name; });
            require(row != std::end(dtypes), "{}: tensor {}: unknown dtype: {}", where_, in_quotes(name_), in_quotes(text));
            tensors_.back().dtype = row->dtype;
        } else {
            refuse();
        }
        return true;
    }
    bool key(std::string& name) override {
        if (inside_ == Part::tensor) {
            require(std::find(fields.begin(), fields.end(), name) != fields.end(), "{}: tensor {}: unknown field: {}", where_,
                    in_quotes(name_), in_quotes(name));
            require(fields_.insert(name).second, "{}: tensor {}: field comes twice: {}", where_, in_quotes(name_), name);
            field_ = name;
            return true;
        }
        const bool fresh = inside_ == Part::metadata ? !metadata_.contains(name) : names_.insert(name).second;
        require(fresh, "{}: safetensors header: name comes twice: {}{}", where_, in_quotes(name),
                inside_ == Part::metadata ? " in __metadata__" : "");
        name_ = name;
        return true;
    }
    bool start_object(std::size_t) override {
        if (inside_ == Part::nothing)
            return enter(Part::header);
        if (inside_ != Part::header)
            refuse();
        if (name_ == "__metadata__")
            return enter(Part::metadata);
        fields_.clear();
        tensors_.emplace_back().name = name_;
        return enter(Part::tensor);
    }
    bool end_object() override {
        if (inside_ == Part::tensor)
            for (const char* field : fields)
                require(fields_.contains(field), "{}: tensor {}: field missing: {}", where_, in_quotes(name_), field);
        return enter(inside_ == Part::header ? Part::nothing : Part::header);
    }
    bool start_array(std::size_t) override {
        if (inside_ != Part::tensor || field_ == "dtype")
            refuse();
        count_ = 0;
        product_ = 1;
        return enter(field_ == "shape" ? Part::shape : Part::offsets);
    }
    bool end_array() override {
        TensorInfo& info = tensors_.back();
        if (inside_ == Part::shape) {
            require(count_ <= sizes_.size(), "{}: tensor {}: too many axes: rank {}, limit {}", where_, in_quotes(name_),
                    count_, sizes_.size());
            info.shape = Shape(std::span<const int64_t>(sizes_.data(), count_));
        } else {
            if (count_ != offsets_.size())
                refuse();
            info.begin = offsets_[0];
            info.end = offsets_[1];
        }
        return enter(Part::tensor);
    }

  private:
    static constexpr std::array fields{"dtype", "shape", "data_offsets"};
    enum class Part { nothing, header, metadata, tensor, shape, offsets };

    bool enter(Part part) {
        inside_ = part;
        return true;
    }
    [[noreturn]] void refuse() const {
        if (inside_ == Part::header)
            fail("{}: safetensors header: {}: expected an object", where_, in_quotes(name_));
        if (inside_ == Part::metadata)
            fail("{}: safetensors header: {} in __metadata__: expected a string", where_, in_quotes(name_));
        fail("{}: tensor {}: {}: expected {}", where_, in_quotes(name_), field_,
             field_ == "dtype"   ? "a string"
             : field_ == "shape" ? "a list of unsigned 64-bit integers"
                                 : "two unsigned 64-bit integers");
    }
    // The limit is on the product of the sizes that are not zero, so that nothing overflows
    // anywhere (as in Shape).
    void add_axis(uint64_t n) {
        if (n > 0) {
            require(n <= static_cast<uint64_t>(Shape::max_size / product_),
                    "{}: tensor {}: too many elements: limit {}, axis {} has {}", where_, in_quotes(name_), Shape::max_size,
                    count_, n);
            product_ *= static_cast<int64_t>(n);
        }
        if (count_ < sizes_.size())
            sizes_[count_] = static_cast<int64_t>(n);
    }

    const std::string& where_;
    std::vector<TensorInfo>& tensors_;
    Metadata& metadata_;
    std::set<std::string, std::less<>> names_, fields_;
    Part inside_ = Part::nothing;
    std::string name_, field_;  // the last ones read
    std::array<int64_t, Shape::max_rank> sizes_{};
    std::array<uint64_t, 2> offsets_{};
    std::size_t count_ = 0;  // of numbers in the list
    int64_t product_ = 1;
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
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::type_error&) {
        fail("{}: text is not valid UTF-8: {}", where, in_quotes(text));
    }
}

void parse_safetensors_header(const std::string& where, std::string_view text, std::vector<TensorInfo>& tensors,
                              Metadata& metadata) {
    // The format allows no white space before it.
    require(text.starts_with('{'), "{}: safetensors header: does not begin with '{{'", where);
    Header header(where, tensors, metadata);
    read_json(where + ": safetensors header", text, header);
}
}  // namespace detail

}  // namespace attend
