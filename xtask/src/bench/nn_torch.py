
import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def trained(size, fused):
    b, t, d, h = size["batch"], size["context"], size["width"], size["heads"]
    known = initial(size)
    w = {n: torch.tensor(known[n]).reshape(shape).requires_grad_() for n, shape, _, _ in tensors(size)}
    hidden = torch.triu(torch.full((t, t), -1e9), 1)
    data = [(torch.tensor(x).reshape(b, t), torch.tensor(y)) for x, y in batches(size)]
    groups = [
        {"params": [w[n] for n, _, _, decay in tensors(size) if decay == wanted], "weight_decay": DECAY * wanted}
        for wanted in (True, False)
    ]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(BETA1, BETA2), eps=EPSILON)

    def loss(x, y):
        state = F.embedding(x, w["token"]) + w["position"]
        a = F.layer_norm(state, (d,), w["gain1"], w["bias1"], NORM)
        q, k, v = ((a @ w[n]).reshape(b, t, h, d // h).transpose(1, 2) for n in ("query", "key", "value"))
        if fused:
            attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            attended = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(d // h) + hidden, -1) @ v
        state = state + attended.transpose(1, 2).reshape(b, t, d) @ w["out"]
        inner = F.layer_norm(state, (d,), w["gain2"], w["bias2"], NORM) @ w["up"]
        state = state + F.gelu(inner, approximate="tanh") @ w["down"]
        logits = F.layer_norm(state, (d,), w["gain"], w["bias"], NORM) @ w["head"]
        return F.cross_entropy(logits.reshape(b * t, VOCABULARY), y)

    def following(i):
        optimiser.zero_grad(set_to_none=True)
        value = loss(*data[i % BATCHES])
        value.backward()
        optimiser.step()
        return value.item()

    return following


for name, size in SIZES.items():
    for fused in (True, False):
        way = "fused attention" if fused else "composed attention"
        measure(name, "PyTorch", trained(size, fused), f"{torch.__version__}, {way}")
