#include "core/base/random.h"

#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace attend {

namespace {
// The finishing step of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches every
// output bit.
uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
}  // namespace

uint64_t hash_name(std::string_view name) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return mix(hash);
}

Key stream_key(uint64_t seed, uint64_t name_hash) {
    // The golden-ratio step keeps seed 0 from being the identity, and seed and name from being
    // exchangeable.
    const uint64_t key = mix(name_hash ^ mix(seed + 0x9e3779b97f4a7c15u));
    return {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

std::array<uint32_t, 4> philox(Counter c, Key key) {
    for (int round = 0; round < 10; ++round) {
        const uint64_t p = uint64_t{0xd2511f53u} * c[0], q = uint64_t{0xcd9e8d57u} * c[2];
        c = {static_cast<uint32_t>(q >> 32) ^ c[1] ^ key.a, static_cast<uint32_t>(q),
             static_cast<uint32_t>(p >> 32) ^ c[3] ^ key.b, static_cast<uint32_t>(p)};
        key = {key.a + 0x9e3779b9u, key.b + 0xbb67ae85u};
    }
    return c;
}

uint32_t Stream::next() {
    const uint64_t number = position_ / 4;
    if (number != block_number_) {
        // The last two words cannot be those of Draws::counter: no run has that many steps.
        block_ = philox({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), ~0u, ~0u}, key_);
        block_number_ = number;
    }
    return block_[position_++ % 4];
}

uint32_t Stream::below(uint32_t n) {
    require(n >= 1, "random: nothing to choose from: choices {}, least {}", n, 1);
    uint64_t product = uint64_t{next()} * n;
    if (static_cast<uint32_t>(product) < n) {
        const uint32_t rejected = (0u - n) % n;  // 2^32 mod n
        while (static_cast<uint32_t>(product) < rejected) product = uint64_t{next()} * n;
    }
    return static_cast<uint32_t>(product >> 32);
}

double Stream::normal() {
    const double u = (static_cast<double>(next()) + 0.5) * 0x1p-32;
    const double v = (static_cast<double>(next()) + 0.5) * 0x1p-32;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

}  // namespace attend
