#pragma once
/// Reading golden files (tests/golden/README.md) into modules, and comparing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/engine.h"
#include "core/parameters.h"
#include "core/safetensors.h"

namespace attend::ATTEND_PRECISION::golden {

inline std::filesystem::path folder() {
    const char* other = std::getenv("ATTEND_GOLDEN_DIR");
    return other != nullptr ? std::filesystem::path(other) : std::filesystem::path(ATTEND_SOURCE_DIR) / "tests/golden/values";
}

/// The files whose name begins with `prefix`; at least `least` of them, so that a test never passes
/// on nothing.
inline std::vector<std::filesystem::path> files(const std::string& prefix, std::size_t least) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
        if (entry.path().filename().string().starts_with(prefix))
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    REQUIRE(found.size() >= least);
    return found;
}

inline Ids ids(const SafetensorsFile& file, const std::string& values, const std::string& lengths) {
    const Shape shape = file.info(values).shape;
    Ids out(shape[0], shape[1]);
    const auto v = file.read_integers(values), n = file.read_integers(lengths);
    std::transform(v.begin(), v.end(), out.values.begin(), [](int64_t i) { return static_cast<int32_t>(i); });
    std::transform(n.begin(), n.end(), out.lengths.begin(), [](int64_t i) { return static_cast<int32_t>(i); });
    return out;
}

/// Fills every parameter from the file; both sides must have the same names.
inline void load(ParameterStore& store, const SafetensorsFile& file) {
    std::size_t parameters = 0;
    for (const TensorInfo& t : file.tensors())
        if (!t.name.starts_with("input.") || store.find(t.name) != nullptr)
            parameters +=
                t.name.starts_with("output.") || t.name.starts_with("gradient.") || t.name.starts_with("cotangent.") ? 0 : 1;
    CHECK(parameters == store.table().size());
    for (const Parameter& p : store.table()) {
        CAPTURE(p.name);
        file.read_into(p.name, store.values(p), p.shape);
    }
}

/// Equal within `tolerance` of the largest expected magnitude.
inline void check_close(const Tensor& ours, const Tensor& expected, double tolerance, const std::string& what) {
    CAPTURE(what);
    REQUIRE(ours.size() == expected.size());
    double largest = 1e-3, worst = 0;
    for (int64_t i = 0; i < ours.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(expected.data()[i])));
        const double difference = std::abs(static_cast<double>(ours.data()[i]) - static_cast<double>(expected.data()[i]));
        worst = std::isfinite(difference) ? std::max(worst, difference) : 1e300;
    }
    CHECK(worst <= tolerance * largest);
}

/// Gradients of every parameter against gradient.NAME.
inline void check_gradients(const ParameterStore& store, const Gradients& gradients, const SafetensorsFile& file,
                            double tolerance) {
    for (const Parameter& p : store.table())
        check_close(gradients.of(store.tensor(p)), file.read("gradient." + p.name), tolerance, "gradient." + p.name);
}

}  // namespace attend::ATTEND_PRECISION::golden
