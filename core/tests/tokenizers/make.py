"""Makes fixtures.json with Hugging Face's `tokenizers` (PyPI, Apache-2.0): texts, the tokenizer.json that it learned from
each, and the ids that it encodes them to. Usage: pip install tokenizers==0.23.3 && python make.py ../../../LICENSE-APACHE"""

import json
import sys

import tokenizers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def markov(n, k, p, q, seed):
    """The order-k switching process from a linear congruential generator."""
    state, text = seed, []
    for t in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        u = (state >> 33) / 2**31
        text.append(u < 0.5 if t < k else (u < p if text[t - k] == 0 else u >= q))
        text[-1] = int(text[-1])
    return "".join(map(str, text))


def case(name, text, model, trainer, split=None):
    tokenizer = Tokenizer(model)
    if split:
        tokenizer.pre_tokenizer = pre_tokenizers.Split(split, "merged_with_next")
    tokenizer.train_from_iterator([text], trainer)
    ids = tokenizer.encode(text).ids
    return {"name": name, "text": text, "size": tokenizer.get_vocab_size(), "ids": ids, "tokenizer": json.loads(tokenizer.to_str())}


def bpe(size):
    return trainers.BpeTrainer(vocab_size=size, min_frequency=2, show_progress=False, special_tokens=[])


def main():
    prose = open(sys.argv[1]).read()
    runs = "".join("a" * (i % 7 + 1) + "b" * (i % 3) for i in range(200))
    cases = [
        case("prose", prose, models.BPE(), bpe(400), " "),
        case("markov k=2", markov(6000, 2, 0.8, 0.8, 1), models.BPE(), bpe(40)),
        case("markov k=3", markov(6000, 3, 0.2, 0.7, 2), models.BPE(), bpe(24)),
        case("runs", runs, models.BPE(), bpe(16)),
        case("unigram", prose, models.Unigram(), trainers.UnigramTrainer(vocab_size=300, show_progress=False, special_tokens=[])),
    ]
    # The longest match from the left, by WordPiece without a prefix.
    words = {"0": 0, "1": 1, "00": 2, "01": 3, "11": 4, "10": 5, "001": 6, "111": 7, "1001": 8}
    greedy = Tokenizer(models.WordPiece(words, unk_token="[UNK]", continuing_subword_prefix="", max_input_chars_per_word=10**9))
    text = markov(3000, 2, 0.8, 0.8, 3)
    cases.append({"name": "greedy", "text": text, "size": len(words), "ids": greedy.encode(text).ids, "tokenizer": json.loads(greedy.to_str())})
    json.dump({"made_by": f"tokenizers {tokenizers.__version__}", "cases": cases}, open("fixtures.json", "w"), ensure_ascii=False)


main()
