#pragma once
/// Calls with bad arguments, and the messages that they must give.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace attend::ATTEND_PRECISION::oracles {

/// A call that must throw Error with this message.
struct BrokenCall {
    const char* message;
    std::function<void()> call;
};

/// A tensor of ones.
inline Tensor t(std::initializer_list<int64_t> sizes) { return Tensor::full(Shape(sizes), 1); }

inline void check_all(const std::vector<BrokenCall>& calls) {
    for (const BrokenCall& c : calls) {
        std::string message = "nothing thrown";
        try {
            c.call();
        } catch (const Error& e) {
            message = e.what();
        }
        CHECK(message == c.message);
    }
}

}  // namespace attend::ATTEND_PRECISION::oracles
