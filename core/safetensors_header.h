#pragma once
/// What the JSON header of a safetensors file says. How the offsets fit the file is checked in
/// core/safetensors.cpp.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/shape.h"

namespace attend {

enum class Dtype { boolean, u8, i8, f8_e5m2, f8_e4m3, u16, i16, f16, bf16, u32, i32, f32, u64, i64, f64 };

/// "F32" and so on, as in a header.
const char* dtype_name(Dtype dtype);
/// Bytes of one element.
int64_t dtype_bytes(Dtype dtype);

/// One tensor of a file.
struct TensorInfo {
    std::string name;
    Dtype dtype = Dtype::f32;
    Shape shape;
    uint64_t begin = 0, end = 0;  ///< its bytes in the data after the header
};

/// Names and values found beside the tensors.
using Metadata = std::map<std::string, std::string>;

namespace detail {

/// Appends to `tensors` and `metadata` what the header `text` says. `where` is the file's name for
/// messages. Throws Error when it is not JSON, not of the format's form, or names something twice.
void parse_safetensors_header(const std::string& where, std::string_view text, std::vector<TensorInfo>& tensors,
                              Metadata& metadata);

/// `text` as a JSON string. Throws Error when it is not valid UTF-8.
std::string json_string(const std::string& where, std::string_view text);

/// A name for a message: one line, not endless.
std::string in_quotes(std::string_view name);

}  // namespace detail

}  // namespace attend
