"""Whole recurrent encoder-decoders: losses and the gradients of all parameters.

The encoder is bidirectional; the decoder starts from tanh of a linear map of the backward direction's final state in the last
encoder layer (Bahdanau et al. 2015, A.2.2), for an LSTM the cell state likewise. Bahdanau's form attends from the previous state
and feeds the context into the cell; Luong's form (Luong et al. 2015) attends after the cell.
"""
import torch
import torch.nn.functional as F

import attention
from layers import GATES, bidirectional_parameters, cell_parameters, cell_step, run_bidirectional, same_as_packed
from store import Case

BOS, EOS, FIRST_FREE = 1, 2, 4

# name: form, cell, score, input feeding, encoder layers, decoder layers
MODELS = {
    "bahdanau_gru": ("bahdanau", "gru", "additive", False, 1, 1),
    "bahdanau_lstm": ("bahdanau", "lstm", "additive", False, 1, 1),
    "luong_gru": ("luong", "gru", "concat", False, 1, 1),
    "luong_gru_feeding": ("luong", "gru", "scaled_dot", True, 1, 1),
    "luong_lstm_feeding": ("luong", "lstm", "general", True, 1, 1),
    "luong_lstm_deep": ("luong", "lstm", "general", True, 2, 2),
    "bahdanau_gru_deep": ("bahdanau", "gru", "additive", False, 2, 2),
}


class Sequence2Sequence:
    def __init__(self, case, form, cell, score, feeding, encoder_layers, decoder_layers, source_vocabulary, target_vocabulary,
                 embedding, hidden):
        self.form, self.cell, self.score, self.feeding, self.hidden = form, cell, score, feeding, hidden
        memory = 2 * hidden
        luong = form == "luong"
        p = case.parameter
        self.encoder_embedding = p("encoder.embedding.weight", source_vocabulary, embedding)
        self.encoder = bidirectional_parameters(case, "encoder.rnn.", cell, embedding, hidden, encoder_layers)
        self.bridges = {}
        for name in ("bridge", "bridge_cell")[: 2 if cell == "lstm" else 1]:
            self.bridges[name] = [(p(f"{name}.{layer}.weight", hidden, hidden), p(f"{name}.{layer}.bias", hidden))
                                  for layer in range(decoder_layers)]
        self.decoder_embedding = p("decoder.embedding.weight", target_vocabulary, embedding)
        bottom = embedding + (memory if not luong else hidden if feeding else 0)
        self.decoder = [cell_parameters(case, f"decoder.cell.{layer}.", cell, bottom if layer == 0 else hidden, hidden)
                        for layer in range(decoder_layers)]
        self.attention = attention.score_parameters(case, score, "attention.score.", hidden, memory, hidden)
        wide, narrow = (hidden + memory, hidden) if luong else (hidden + memory + embedding, embedding)
        self.readout = p("readout.weight", wide, narrow), p("readout.bias", narrow)
        self.head = p("head.weight", narrow, target_vocabulary), p("head.bias", target_vocabulary)

    def encode(self, source, lengths):
        x = F.embedding(source, self.encoder_embedding)
        memory, finals = run_bidirectional(self.cell, self.encoder, x, lengths)
        same_as_packed(self.cell, self.encoder, x, lengths, memory, finals)
        final = finals[-1]["backward"]
        states = []
        for layer in range(len(self.decoder)):
            maps = [self.bridges[name][layer] for name in self.bridges]
            states.append(tuple(torch.tanh(part @ weight + bias) for part, (weight, bias) in zip(final, maps)))
        return memory, states

    def attend(self, query, memory, seen):
        """query [B, H] -> context [B, 2H], weights [B, S]."""
        weights = attention.softmax(attention.scores(self.score, self.attention, query[:, None], memory), seen[:, None])
        return (weights @ memory)[:, 0], weights[:, 0]

    def run_cells(self, x, states):
        new = []
        for parameters, state in zip(self.decoder, states):
            new.append(cell_step(self.cell, parameters, x, state))
            x = new[-1][0]
        return new

    def __call__(self, source, lengths, inputs):
        """Logits [B, T, V] and attention weights [B, T, S]."""
        memory, states = self.encode(source, lengths)
        seen = torch.arange(source.shape[1]) < lengths[:, None]
        attentional = torch.zeros(source.shape[0], self.hidden, dtype=torch.float64)
        logits, maps = [], []
        for t in range(inputs.shape[1]):
            word = F.embedding(inputs[:, t], self.decoder_embedding)
            if self.form == "bahdanau":
                context, weights = self.attend(states[-1][0], memory, seen)
                states = self.run_cells(torch.cat([word, context], -1), states)
                read = torch.cat([states[-1][0], context, word], -1)
            else:
                states = self.run_cells(torch.cat([word, attentional], -1) if self.feeding else word, states)
                context, weights = self.attend(states[-1][0], memory, seen)
                read = torch.cat([states[-1][0], context], -1)
            attentional = torch.tanh(read @ self.readout[0] + self.readout[1])
            logits.append(attentional @ self.head[0] + self.head[1])
            maps.append(weights)
        return torch.stack(logits, 1), torch.stack(maps, 1)


def padded_ids(case, rows, longest, vocabulary, least):
    lengths = case.draw.lengths(rows, longest, least)
    ids = case.draw.ids(rows, longest, low=FIRST_FREE, high=vocabulary)
    ids[torch.arange(longest) >= lengths[:, None]] = 0
    return ids, lengths


def model(seed, name, form, cell, score, feeding, encoder_layers, decoder_layers):
    case = Case("rnn_seq2seq_" + name, seed, form=form, cell=cell, score=score, input_feeding=str(feeding).lower(),
                encoder_layers=encoder_layers, decoder_layers=decoder_layers)
    size = case.draw.size
    source_vocabulary, target_vocabulary = size(11, 8, 16), size(13, 8, 16)
    deep = decoder_layers > 1
    embedding, hidden, rows = size(5 if deep else 6, 2, 12), size(4 if deep else 8, 2, 14), size(3, 2, 5)
    case.metadata.update(embedding=str(embedding), hidden=str(hidden))
    net = Sequence2Sequence(case, form, cell, score, feeding, encoder_layers, decoder_layers, source_vocabulary,
                            target_vocabulary, embedding, hidden)
    source, source_lengths = padded_ids(case, rows, size(5, 3, 8), source_vocabulary, 1)
    words, word_lengths = padded_ids(case, rows, size(4, 3, 7), target_vocabulary, 2)
    # The decoder reads bos, y_1 ... y_n and predicts y_1 ... y_n, eos.
    steps, lengths = words.shape[1] + 1, word_lengths + 1
    inputs = torch.cat([torch.full((rows, 1), BOS), words], 1)
    targets = torch.cat([words, torch.zeros(rows, 1, dtype=words.dtype)], 1)
    targets[torch.arange(rows), word_lengths] = EOS
    inside = torch.arange(steps) < lengths[:, None]
    for kept, values in (("source", source), ("source_lengths", source_lengths), ("decoder_input", inputs),
                         ("target", targets), ("target_lengths", lengths)):
        case.given(kept, values)

    logits, maps = net(source, source_lengths, inputs)
    losses = F.cross_entropy(logits.reshape(-1, target_vocabulary), targets.reshape(-1), reduction="none").reshape(rows, steps)
    losses = torch.where(inside, losses, torch.zeros_like(losses))
    case.loss = losses.sum() / lengths.sum()
    case.keep("output.loss", case.loss.reshape(1))
    case.keep("output.target_loss", losses)
    case.keep("output.logits", torch.where(inside[:, :, None], logits, torch.zeros_like(logits)))
    case.keep("output.weights", torch.where(inside[:, :, None], maps, torch.zeros_like(maps)))
    case.differentiate()

    # What stands after a length is never seen.
    junk = source.clone()
    junk[torch.arange(source.shape[1]) >= source_lengths[:, None]] = FIRST_FREE
    again = net(junk, source_lengths, inputs)[0]
    assert torch.equal(again[inside], logits[inside]), name
    return case


def cases(seed):
    for name, options in MODELS.items():
        yield model(seed, name, *options)
