#include "core/tensor.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/broadcast.h"
#include "core/engine.h"
#include "core/ops.h"

namespace tensor_test {

using namespace attend;

namespace {
Tensor counted(const Shape& shape) {
    Tensor x = Tensor::empty(shape);
    for (int64_t i = 0; i < x.size(); ++i) x.writable()[i] = static_cast<real>(i);
    return x;
}

// Element of `x` that a broadcast to `y` puts at flat index i of y.
int64_t source(const Shape& x, const Shape& y, int64_t i) {
    int64_t at = 0;
    for (int axis = 0; axis < y.rank(); ++axis) {
        const int64_t index = i / y.inner(axis) % y[axis];
        const int own = axis - (y.rank() - x.rank());
        if (own >= 0 && x[own] != 1)
            at += index * x.inner(own);
    }
    return at;
}
}  // namespace

TEST_SUITE("tensor") {
    TEST_CASE("a shape knows its sizes") {
        const Shape s{2, 3, 4};
        CHECK(s.size() == 24);
        CHECK(s[-1] == 4);
        CHECK(s.outer(1) == 2);
        CHECK(s.inner(0) == 12);
        CHECK(s.rows() == 6);
        CHECK(s.columns() == 4);
        CHECK(s.with(1, 7) == Shape{2, 7, 4});
        CHECK(s.without(0) == Shape{3, 4});
        CHECK(s.inserted(3, 1) == Shape{2, 3, 4, 1});
        CHECK(s.text() == "[2, 3, 4]");
        CHECK(Shape{}.size() == 1);
        CHECK(Shape{}.rows() == 1);
        CHECK(Shape{}.text() == "[]");
        CHECK(Shape{0, 5}.size() == 0);
        CHECK(Shape{2} != Shape{2, 1});
    }

    TEST_CASE("tensors are handles on aligned storage") {
        const Tensor a = Tensor::of({2, 2}, {1, 2, 3, 4}), b = a;
        CHECK(b.data() == a.data());
        CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % 64 == 0);
        CHECK_FALSE(Tensor{}.defined());
        CHECK(Tensor::empty({0}).defined());
        CHECK(Tensor::zeros({3}).values() == std::vector<real>{0, 0, 0});
        CHECK(Tensor::scalar(3).item() == 3);
        CHECK(Tensor::full({1, 1}, 4).item() == 4);
    }

    TEST_CASE("views share memory and node") {
        const Tensor x = counted({3, 2, 2});
        CHECK(x.rows(1, 3).data() == x.data() + 4);
        CHECK(x.rows(1, 3).shape() == Shape{2, 2, 2});
        CHECK(x.row(2).shape() == Shape{2, 2});
        CHECK(x.row(2).values() == std::vector<real>{8, 9, 10, 11});
        CHECK(x.rows(3, 3).size() == 0);
        CHECK(x.reshape({12}).data() == x.data());
        CHECK(x.part(5, {3}).values() == std::vector<real>{5, 6, 7});
        const Tensor w = watch(x);
        CHECK(w.row(1).node() == w.node());
        CHECK(w.reshape({2, 6}).node() == w.node());
        CHECK(w.data() == x.data());
        CHECK(w.detach().node() == nullptr);
    }

    TEST_CASE("a view keeps its storage alive") {
        Tensor view;
        {
            const Tensor x = counted({1000});
            view = x.part(997, {3});
        }
        CHECK(view.values() == std::vector<real>{997, 998, 999});
    }

    TEST_CASE("what is part of a graph cannot be written to") {
        Tensor x = watch(Tensor::zeros({2}));
        CHECK_THROWS_WITH_AS(x.writable(), "tensor [2]: written to although it is part of a graph", MachineError);
        CHECK_NOTHROW(x.detach().writable());
    }
}

TEST_SUITE("broadcast") {
    TEST_CASE("runs visit every element once, in order, from the right sources") {
        const std::pair<Shape, Shape> pairs[] = {{{}, {}},
                                                 {{4}, {4}},
                                                 {{3, 4}, {4}},
                                                 {{3, 1}, {1, 4}},
                                                 {{1}, {2, 3}},
                                                 {{2, 1, 3}, {4, 1}},
                                                 {{2, 3, 4}, {2, 1, 4}},
                                                 {{2, 1, 2, 1}, {3, 1, 2}},
                                                 {{1, 1, 2, 1, 2, 1}, {2, 1, 1, 2, 1, 2}},
                                                 {{0, 3}, {3}},
                                                 {{2, 3}, {2, 3}}};
        for (const auto& [a, b] : pairs)
            for (const bool turned : {false, true}) {
                const Shape &p = turned ? b : a, &q = turned ? a : b;
                const Shape y = broadcast_shape("test", p, q);
                int64_t next = 0;
                broadcast_runs(p, q, y, [&](int64_t i, int64_t j, int64_t k, int64_t n, bool moves_a, bool moves_b) {
                    REQUIRE(k == next);
                    REQUIRE(n >= 1);
                    for (int64_t r = 0; r < n; ++r) {
                        CHECK(i + (moves_a ? r : 0) == source(p, y, k + r));
                        CHECK(j + (moves_b ? r : 0) == source(q, y, k + r));
                    }
                    next += n;
                });
                CHECK(next == y.size());
                // The reverse: sums of what was repeated.
                const Tensor x = counted(y);
                for (const Write write : {Write::set, Write::add}) {
                    std::vector<real> expected(static_cast<std::size_t>(p.size()), write == Write::add ? real{5} : real{0});
                    for (int64_t k = 0; k < y.size(); ++k) expected[static_cast<std::size_t>(source(p, y, k))] += x.data()[k];
                    Tensor sums = Tensor::full(p, 5);
                    sum_to_shape(x, p, {sums.writable(), write});
                    CHECK_MESSAGE(sums.values() == expected, y.text() << " to " << p.text());
                }
            }
    }

    TEST_CASE("runs are as long as the shapes allow") {
        int runs = 0;
        broadcast_runs({2, 3, 4}, {2, 3, 4}, {2, 3, 4}, [&](auto...) { ++runs; });
        CHECK(runs == 1);
        broadcast_runs({2, 3, 4}, {3, 4}, {2, 3, 4}, [&](auto...) { ++runs; });
        CHECK(runs == 3);
        broadcast_runs({2, 3, 4}, {2, 1, 1}, {2, 3, 4}, [&](auto...) { ++runs; });
        CHECK(runs == 5);
    }
}

TEST_SUITE("op semantics") {
    TEST_CASE("max takes the first of equals, and its gradient goes there alone") {
        const Tensor x = watch(Tensor::of({2, 3}, {1, 3, 3, 2, 2, 2}));
        Gradients g;
        backward(sum(attend::max(x, 1)), g);
        CHECK(g.of(x).values() == std::vector<real>{0, 1, 0, 1, 0, 0});
    }

    TEST_CASE("relu and absolute have gradient 0 at 0") {
        const Tensor x = watch(Tensor::of({3}, {-1, 0, 2}));
        Gradients g;
        backward(sum(relu(x)) + sum(absolute(x)), g);
        CHECK(g.of(x).values() == std::vector<real>{-1, 0, 2});
    }

    TEST_CASE("softmax of large numbers is finite, rows and positions outside are exactly 0") {
        const Ranges ranges = {{0, 2}, {1, 1}};
        const real big = sizeof(real) == 4 ? real(1e37) : real(1e300);
        const Tensor x = Tensor::of({2, 3}, {big, big, big * 10, 1, 2, 3});
        CHECK(softmax(x, ranges).values() == std::vector<real>{real{0.5}, real{0.5}, 0, 0, 0, 0});
        CHECK(sparsemax(Tensor::of({1, 3}, {5, 1, 1})).values() == std::vector<real>{1, 0, 0});
    }

    TEST_CASE("dropout: a shard's rows draw as rows of the whole batch, kept values are scaled") {
        const Key key = stream_key(1, "m");
        const Tensor x = Tensor::full({6, 50}, 3);
        const Tensor whole = dropout(x, real{0.25}, Draws{key, 2, 1, 0, 0});
        const Tensor shard = dropout(x.rows(0, 2), real{0.25}, Draws{key, 2, 1, 0, 4});
        CHECK(shard.values() == whole.rows(4, 6).values());
        int kept = 0;
        for (const real v : whole.values()) {
            CHECK((v == 0 || v == doctest::Approx(4)));
            kept += v != 0;
        }
        CHECK(kept > 190);
        CHECK(kept < 260);
        CHECK(dropout(x, real{0.25}, Draws{key, 3, 1, 0, 0}).values() != whole.values());
        CHECK(dropout(x, 0, Draws{}).data() == x.data());
    }

    TEST_CASE("recurrent layers do not see what lies after a length, forward or backward") {
        const int32_t lengths[] = {2, 0, 3};
        for (const Direction d : {Direction::forward, Direction::backward}) {
            Tensor x = counted({3, 3, 12}), other = counted({3, 3, 12});
            for (Tensor* t : {&x, &other})
                for (int64_t i = 0; i < t->size(); ++i) t->writable()[i] *= real{0.01};
            for (int64_t b = 0; b < 3; ++b)
                for (int64_t i = lengths[b] * 12; i < 36; ++i) other.writable()[b * 36 + i] = -9;
            const Tensor w3 = scale(counted({4, 12}), real{0.02}), b3 = Tensor::full({12}, real{0.1});
            const Tensor w4 = scale(counted({3, 12}), real{0.02});
            const GruLayerResult g = gru_layer(x, {}, w3, b3, lengths, d), h = gru_layer(other, {}, w3, b3, lengths, d);
            CHECK(g.outputs.values() == h.outputs.values());
            CHECK(g.last.values() == h.last.values());
            CHECK(g.last.row(1).values() == std::vector<real>(4, 0));
            CHECK(g.outputs.row(0).row(2).values() == std::vector<real>(4, 0));
            const LstmLayerResult l = lstm_layer(x, {}, w4, b3, lengths, d), m = lstm_layer(other, {}, w4, b3, lengths, d);
            CHECK(l.outputs.values() == m.outputs.values());
            CHECK(l.last.c.values() == m.last.c.values());
            // A row of full length gives what it gives alone, and where it starts and ends depends
            // on the direction.
            const GruLayerResult alone = gru_layer(x.rows(2, 3), {}, w3, b3, {}, d);
            for (int64_t i = 0; i < 12; ++i)
                CHECK(alone.outputs.data()[i] == doctest::Approx(g.outputs.row(2).data()[i]).epsilon(1e-6));
            const int64_t end = d == Direction::forward ? 2 : 0;
            CHECK(g.last.row(2).values() == g.outputs.row(2).row(end).values());
        }
    }

    TEST_CASE("cross entropy: row losses, predictions and ignored rows") {
        const Tensor logits = Tensor::of({4, 3}, {0, 0, 0, 1, 5, 5, 9, 0, 0, 2, 1, 0});
        const int32_t targets[] = {1, 2, -1, 0};
        const CrossEntropyResult r = cross_entropy(logits, targets, {2, 0, -1});
        CHECK(r.row_loss.data()[0] == doctest::Approx(1.0986123));
        CHECK(r.row_loss.data()[1] == doctest::Approx(0.7022651));
        CHECK(r.row_loss.data()[2] == 0);
        CHECK(std::vector<int32_t>(r.predicted.begin(), r.predicted.end()) == std::vector<int32_t>{0, 1, 0, 0});
        CHECK(r.loss.item() == doctest::Approx((1.0986123 + 0.7022651 + 0.4076060) / 2));
        CHECK_FALSE(r.loss.recorded());
        CHECK(logits.values() == std::vector<real>{0, 0, 0, 1, 5, 5, 9, 0, 0, 2, 1, 0});
        // An ignored id that is a class is ignored all the same.
        const int32_t classes[] = {1, 2, 1, 0};
        CHECK(cross_entropy(logits, classes, {1, 0, 1}).row_loss.data()[0] == 0);
    }
}

}  // namespace tensor_test
