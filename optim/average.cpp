#include "optim/average.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/kernels/update.h"

namespace attend::ATTEND_PRECISION {

// Elements of one block, the unit of the parallel pass.
constexpr int64_t average_block = 16384;

Average::Average(const AverageOptions& options, ParameterStore& live, ParameterStore& averaged)
    : options_(options), live_(live), averaged_(averaged) {
    require(options.decay >= 0 && options.decay <= most_decay, "average: decay out of range: decay {}, allowed 0 to {}",
            options.decay, most_decay);
    ensure(live.table().size() == averaged.table().size() && live.size() == averaged.size(),
           "average: the stores differ: {} parameters with {} elements, averaged {} with {}", live.table().size(), live.size(),
           averaged.table().size(), averaged.size());
    for (std::size_t i = 0; i < live.table().size(); ++i) {
        const Parameter &a = live.table()[i], &b = averaged.table()[i];
        ensure(a.name == b.name && a.shape == b.shape, "average: the stores differ: parameter '{}' {}, averaged '{}' {}",
               a.name, a.shape.text(), b.name, b.shape.text());
    }
    ensure(live.states().size() == averaged.states().size() && live.state_size() == averaged.state_size(),
           "average: the stores differ: {} named states with {} elements, averaged {} with {}", live.states().size(),
           live.state_size(), averaged.states().size(), averaged.state_size());
    std::copy_n(live.data(), live.size(), averaged.data());
    take_state();
}

double Average::decay(int64_t step) const {
    const double s = static_cast<double>(step);
    return options_.warmup ? std::min(options_.decay, (1 + s) / (10 + s)) : options_.decay;
}

void Average::update(int64_t step, Workers& workers) {
    ensure(step >= 0, "average: steps are counted from 0: step {}", step);
    ensure(live_.size() == averaged_.size(), "average: a store has changed: elements {}, averaged {}", live_.size(),
           averaged_.size());
    const real share = static_cast<real>(1 - decay(step));
    const real* from = live_.data();
    real* to = averaged_.data();
    workers.blocks(live_.size(), average_block, [&](int64_t, int64_t begin, int64_t end) {
        kernels::move_towards(to + begin, from + begin, share, end - begin);
    });
    take_state();
}

void Average::take_state() {
    for (std::size_t i = 0; i < live_.states().size(); ++i) {
        const NamedState& to = averaged_.states()[i];
        const Tensor value = live_.state(live_.states()[i]);
        std::copy_n(value.data(), value.size(), averaged_.state_values(to));
        averaged_.state_updates(to) = live_.state_updates(live_.states()[i]);
    }
}

WrittenFile average_files(std::span<const std::filesystem::path> files, const std::filesystem::path& to) {
    require(!files.empty(), "average: no files to average: files {}, least 1", files.size());
    std::vector<SafetensorsFile> open;
    for (const std::filesystem::path& path : files) open.emplace_back(path);
    const SafetensorsFile& first = open.front();
    for (const SafetensorsFile& file : open) {
        require(file.tensors().size() == first.tensors().size(), "{}: not the tensors of the first file: tensors {}, in {} {}",
                file.path().string(), file.tensors().size(), first.path().string(), first.tensors().size());
        for (const TensorInfo& t : first.tensors()) {
            require(file.has(t.name), "{}: not the tensors of the first file: '{}' is missing, in {} it is {}",
                    file.path().string(), t.name, first.path().string(), t.shape.text());
            require(file.info(t.name).shape == t.shape, "{}: not the shapes of the first file: '{}' is {}, in {} {}",
                    file.path().string(), t.name, file.info(t.name).shape.text(), first.path().string(), t.shape.text());
        }
    }
    std::vector<Tensor> means;
    std::vector<NamedArray> arrays;
    std::vector<double> sums;
    for (const TensorInfo& t : first.tensors()) {
        sums.assign(static_cast<std::size_t>(t.shape.size()), 0.0);
        for (const SafetensorsFile& file : open) {
            const Tensor x = file.read(t.name);
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += static_cast<double>(x.data()[i]);
        }
        Tensor mean = Tensor::empty(t.shape);
        real* values = mean.writable();
        for (std::size_t i = 0; i < sums.size(); ++i) values[i] = static_cast<real>(sums[i] / static_cast<double>(open.size()));
        means.push_back(std::move(mean));
        arrays.push_back({t.name, t.shape, means.back().data()});
    }
    return write_safetensors(to, arrays, first.metadata());
}

}  // namespace attend::ATTEND_PRECISION
