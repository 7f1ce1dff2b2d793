#include "core/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "core/base/interruption.h"
#include "core/safetensors_header.h"

namespace attend::ATTEND_PRECISION {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace {
using attend::detail::in_quotes;
using attend::detail::json_string;

// Every tensor has the bytes its shape asks for, and together they are the data: no gap, no
// overlap, nothing after.
void check_layout(const std::string& where, const std::vector<TensorInfo>& tensors, uint64_t data_bytes) {
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& t : tensors) {
        require(t.begin <= t.end, "{}: tensor {}: offsets run backwards: begin {}, end {}", where, in_quotes(t.name), t.begin,
                t.end);
        require(t.end <= data_bytes, "{}: tensor {}: leaves the file: end {}, data bytes {}", where, in_quotes(t.name), t.end,
                data_bytes);
        const auto needed = static_cast<uint64_t>(t.shape.size() * dtype_bytes(t.dtype));
        require(needed == t.end - t.begin, "{}: tensor {}: bytes differ from the shape's: {} {} needs {}, offsets give {}",
                where, in_quotes(t.name), dtype_name(t.dtype), t.shape.text(), needed, t.end - t.begin);
        order.push_back(&t);
    }
    std::ranges::sort(order, {}, [](const TensorInfo* t) { return std::pair(t->begin, t->end); });
    uint64_t covered = 0;
    for (const TensorInfo* t : order) {
        require(t->begin >= covered, "{}: tensor {}: overlaps the one before: begin {}, its end {}", where, in_quotes(t->name),
                t->begin, covered);
        require(t->begin <= covered, "{}: tensor {}: a gap before it: begin {}, end of the one before {}", where,
                in_quotes(t->name), t->begin, covered);
        covered = t->end;
    }
    require(covered == data_bytes, "{}: bytes that belong to no tensor: tensors end at {}, data bytes {}", where, covered,
            data_bytes);
}

template <class T>
T load(const std::byte* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

// IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits.
real half_to_real(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const auto magnitude =
        exponent == 31  ? (fraction == 0 ? std::numeric_limits<real>::infinity() : std::numeric_limits<real>::quiet_NaN())
        : exponent == 0 ? std::ldexp(static_cast<real>(fraction), -24)
                        : std::ldexp(static_cast<real>(fraction + 1024), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

real bfloat_to_real(uint16_t bits) { return static_cast<real>(std::bit_cast<float>(uint32_t{bits} << 16)); }

// to[i] = function(element i) for the elements of type T in bytes [begin, end), read piece by
// piece.
template <class T, class Function>
void convert(const OpenFile& file, std::size_t begin, std::size_t end, real* to, Function function) {
    std::vector<T> piece(std::min<std::size_t>((end - begin) / sizeof(T), std::size_t{1} << 16));
    while (begin < end) {
        interruption_point();
        const std::span<T> some = std::span(piece).first(std::min(piece.size(), (end - begin) / sizeof(T)));
        file.read(begin, std::as_writable_bytes(some));
        to = std::transform(some.begin(), some.end(), to, function);
        begin += some.size_bytes();
    }
}

template <class T>
std::vector<int64_t> widen(std::span<const std::byte> bytes) {
    std::vector<int64_t> values(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(load<T>(bytes.data() + i * sizeof(T)));
    return values;
}
}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path) {
    const std::string where = path.string();
    const std::size_t size = file_.size();
    require(size >= 8, "{}: too short for a safetensors file: size {} bytes, least {} bytes", where, size, 8);
    std::array<std::byte, 8> start;
    file_.read(0, start);
    const auto length = load<uint64_t>(start.data());
    require(length <= header_limit, "{}: not a safetensors file, or its header is too long: header {} bytes, limit {} bytes",
            where, length, header_limit);
    require(length <= size - 8, "{}: cut short: header ends at byte {}, file has {} bytes", where, length + 8, size);
    data_begin_ = 8 + length;
    std::string header(length, '\0');
    file_.read(8, std::as_writable_bytes(std::span(header)));
    attend::detail::parse_safetensors_header(where, header, tensors_, metadata_);
    check_layout(where, tensors_, size - data_begin_);
    for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
}

const TensorInfo& SafetensorsFile::info(std::string_view name) const {
    const auto found = index_.find(name);
    require(found != index_.end(), "{}: no such tensor: {}, the file has {} tensors", path_.string(), in_quotes(name),
            tensors_.size());
    return tensors_[found->second];
}

std::vector<std::byte> SafetensorsFile::bytes(const TensorInfo& tensor) const {
    std::vector<std::byte> all(tensor.end - tensor.begin);
    file_.read(data_begin_ + tensor.begin, all);
    return all;
}

Tensor SafetensorsFile::read(std::string_view name) const {
    const Shape& shape = info(name).shape;
    Tensor values = Tensor::empty(shape);
    read_into(name, values.writable(), shape);
    return values;
}

void SafetensorsFile::read_into(std::string_view name, real* to, const Shape& expected) const {
    const TensorInfo& t = info(name);
    require(t.shape == expected, "{}: tensor {}: another shape: file {}, expected {}", path_.string(), in_quotes(name),
            t.shape.text(), expected.text());
    const std::size_t begin = data_begin_ + t.begin, end = data_begin_ + t.end;
    switch (t.dtype) {
        case Dtype::f16:
            return convert<uint16_t>(file_, begin, end, to, half_to_real);
        case Dtype::bf16:
            return convert<uint16_t>(file_, begin, end, to, bfloat_to_real);
        case Dtype::f32:
            return convert<float>(file_, begin, end, to, [](float x) { return static_cast<real>(x); });
        case Dtype::f64:
            return convert<double>(file_, begin, end, to, [&](double x) {
                if (std::isfinite(x) && std::abs(x) > static_cast<double>(std::numeric_limits<real>::max()))
                    fail("{}: tensor {}: value does not fit {}: value {}, limit {}", path_.string(), in_quotes(name),
                         precision_name, x, std::numeric_limits<real>::max());
                return static_cast<real>(x);
            });
        default:
            fail("{}: tensor {}: not of a floating-point dtype that can be read: {}, readable F16, BF16, F32, F64",
                 path_.string(), in_quotes(name), dtype_name(t.dtype));
    }
}

std::vector<int64_t> SafetensorsFile::read_integers(std::string_view name) const {
    const TensorInfo& t = info(name);
    struct Reader {
        Dtype dtype;
        std::vector<int64_t> (*read)(std::span<const std::byte>);
    };
    constexpr Reader readers[] = {
        {Dtype::boolean, widen<uint8_t>}, {Dtype::u8, widen<uint8_t>},   {Dtype::i8, widen<int8_t>},
        {Dtype::u16, widen<uint16_t>},    {Dtype::i16, widen<int16_t>},  {Dtype::u32, widen<uint32_t>},
        {Dtype::i32, widen<int32_t>},     {Dtype::u64, widen<uint64_t>}, {Dtype::i64, widen<int64_t>}};
    const auto* const reader = std::ranges::find(readers, t.dtype, &Reader::dtype);
    require(reader != std::end(readers), "{}: tensor {}: not of an integer dtype: {} {}", path_.string(), in_quotes(name),
            dtype_name(t.dtype), t.shape.text());
    std::vector<int64_t> values = reader->read(bytes(t));
    const auto large = t.dtype == Dtype::u64 ? std::ranges::find_if(values, [](int64_t v) { return v < 0; }) : values.end();
    require(large == values.end(), "{}: tensor {}: value does not fit: value {}, limit {}", path_.string(), in_quotes(name),
            large == values.end() ? 0 : static_cast<uint64_t>(*large), std::numeric_limits<int64_t>::max());
    return values;
}

std::span<const std::byte> NamedArray::bytes() const {
    const auto size = static_cast<std::size_t>(shape.size());
    return integers != nullptr ? std::as_bytes(std::span(integers, size)) : std::as_bytes(std::span(data, size));
}

WrittenFile write_safetensors(const std::filesystem::path& path, std::span<const NamedArray> arrays, const Metadata& metadata) {
    const std::string where = path.string();
    std::string header = "{";
    if (!metadata.empty()) {
        header += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata)
            header +=
                fmt::format("{}{}:{}", header.back() == '{' ? "" : ",", json_string(where, key), json_string(where, value));
        header += '}';
    }
    std::set<std::string_view> names{"__metadata__"};
    int64_t end = 0;
    for (const NamedArray& a : arrays) {
        require(names.insert(a.name).second, "{}: name is taken: {}, tensors before it {}", where, in_quotes(a.name),
                &a - arrays.data());
        ensure(a.data != nullptr || a.integers != nullptr || a.shape.size() == 0,
               "{}: tensor {}: no values: shape {} has {}, given 0", where, in_quotes(a.name), a.shape.text(), a.shape.size());
        const int64_t begin = end;
        end += static_cast<int64_t>(a.bytes().size());
        std::string sizes = a.shape.text();
        std::erase(sizes, ' ');
        header += fmt::format("{}{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}}", header.size() == 1 ? "" : ",",
                              json_string(where, a.name), dtype_name(a.dtype()), sizes, begin, end);
    }
    header += '}';
    header.append((8 - header.size() % 8) % 8, ' ');
    require(header.size() <= SafetensorsFile::header_limit, "{}: header is too long: header {} bytes, limit {} bytes", where,
            header.size(), SafetensorsFile::header_limit);
    return write_file_atomically(path, [&](FileWriter& writer) {
        const uint64_t length = header.size();
        writer.write(&length, sizeof length);
        writer.write(header);
        for (const NamedArray& a : arrays) writer.write(a.bytes().data(), a.bytes().size());
    });
}

}  // namespace attend::ATTEND_PRECISION
