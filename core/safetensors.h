#pragma once
/// The safetensors format (https://huggingface.co/docs/safetensors): 8 bytes little-endian length,
/// a JSON header of that length, and the tensors' bytes, row-major and little-endian. Reading is
/// strict: every offset, shape and name is checked when the file is opened, and a broken file is an
/// Error naming the file, the tensor and both numbers, never a crash.
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/files.h"
#include "core/base/open_file.h"
#include "core/real.h"
#include "core/safetensors_header.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

/// An open file: only what is asked for is read.
class SafetensorsFile {
  public:
    /// Headers beyond this are refused (the format's own limit).
    static constexpr uint64_t header_limit = 100'000'000;

    /// Reads and checks the header. Throws Error when the file cannot be read or breaks a rule of
    /// the format: header within the file and valid JSON of the expected form; no name twice; known
    /// dtypes; at most Shape::max_rank axes; bytes equal to the shape's product times the dtype's
    /// size; and the tensors' ranges cover the data without gap or overlap.
    explicit SafetensorsFile(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    /// In the header's order.
    const std::vector<TensorInfo>& tensors() const { return tensors_; }
    const Metadata& metadata() const { return metadata_; }
    bool has(std::string_view name) const { return index_.contains(name); }
    /// Throws Error when there is no such tensor.
    const TensorInfo& info(std::string_view name) const;

    /// A floating-point tensor (F16, BF16, F32, F64) as real, in its own shape. Throws Error when
    /// there is no such tensor, it has integers or 8-bit floats, or a finite value does not fit
    /// `real`.
    Tensor read(std::string_view name) const;
    /// The same into to[0 ... expected.size()). Throws Error also when the file's shape is not
    /// `expected`.
    void read_into(std::string_view name, real* to, const Shape& expected) const;
    /// An integer or boolean tensor, row-major. Throws Error when there is no such tensor, it has
    /// floating-point numbers, or an unsigned value exceeds int64_t.
    std::vector<int64_t> read_integers(std::string_view name) const;
    /// The bytes of a tensor as they are in the file.
    std::vector<std::byte> bytes(const TensorInfo& tensor) const;

  private:
    std::filesystem::path path_;
    OpenFile file_;
    std::size_t data_begin_ = 0;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, std::size_t, std::less<>> index_;
    Metadata metadata_;
};

/// What write_safetensors() takes: shape.size() values.
struct NamedArray {
    std::string name;
    Shape shape;
    const real* data = nullptr;
    const int32_t* integers = nullptr;  ///< in place of `data`

    /// The dtype in the file: I32 for integers, else F32 (in double: F64).
    Dtype dtype() const { return integers != nullptr ? Dtype::i32 : sizeof(real) == 4 ? Dtype::f32 : Dtype::f64; }
    std::span<const std::byte> bytes() const;
};

/// Writes the arrays in the given order, integers as I32 and all else as F32 (in double: F64),
/// atomically. The same input gives the same bytes: the header is compact, metadata sorted by name,
/// and padded with spaces so that the data begin at a multiple of 8 bytes. Throws Error when a name
/// comes twice, is "__metadata__", or a text is not valid UTF-8; MachineError as
/// write_file_atomically() does.
WrittenFile write_safetensors(const std::filesystem::path& path, std::span<const NamedArray> arrays,
                              const Metadata& metadata = {});

}  // namespace attend::ATTEND_PRECISION
