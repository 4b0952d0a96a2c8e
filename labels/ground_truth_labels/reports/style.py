"""The page's style sheet."""

from __future__ import annotations

STYLE = """
:root{--ink:#1f2328;--muted:#656d76;--line:#d8dee4;--paper:#fff;--back:#f4f6f8;--good:#1a7f37;--warn:#9a6700;
--bad:#cf222e}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:36px 24px 48px}
header{margin-bottom:22px}
.kicker{margin:0;color:var(--muted);font-size:12px;letter-spacing:.09em;text-transform:uppercase}
h1{margin:2px 0 4px;font-size:32px;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{margin:0 0 4px;font-size:19px}
h3{margin:18px 0 8px;font-size:15px;display:flex;align-items:center;gap:8px;flex-wrap:wrap}
h3 small{color:var(--muted);font-weight:400}
h3.error{color:var(--bad)}h3.warning{color:var(--warn)}
.sub{margin:0 0 10px;color:var(--muted)}
section,.look{background:var(--paper);border:1px solid var(--line);
border-radius:10px;padding:20px 22px;margin-bottom:18px}
.cards{display:grid;
grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;background:none;border:0;padding:0}
.card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}
.card span{color:var(--muted);font-size:13px;line-height:1.35;display:block}
.card.good b,em.good{color:var(--good)}
.card.warn b,em.warn{color:var(--warn)}.card.bad b,em.bad{color:var(--bad)}
em{font-style:normal;font-weight:600}
.look{border-left:4px solid #d4a72c;padding:14px 20px}
.look ul{margin:4px 0 0;padding-left:18px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:600;text-align:left;color:var(--muted);font-size:12px}
th,td{padding:6px 8px;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.bar{width:38%}
td.bar i{display:block;height:12px;min-width:2px;border-radius:3px}
s{display:inline-block;width:13px;height:13px;border-radius:3px;margin-right:8px;vertical-align:-1px;flex:none}
h3 s{margin-right:0}
.row{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:14px}
.gallery{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:6px 18px;grid-auto-flow:dense}
.row.many{grid-template-columns:repeat(auto-fit,minmax(180px,1fr))}
.class+.class{border-top:1px solid var(--line);margin-top:18px}
figure{margin:0;min-width:0}
img,.missing{display:block;width:100%;height:200px;object-fit:cover;border-radius:6px;background:#eaeef2}
.many img{height:auto;object-fit:contain}
.missing{display:grid;place-items:center;color:var(--muted)}
figcaption{color:var(--muted);font-size:12.5px;margin-top:4px;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:28px;align-items:start}
@media(max-width:820px){.two{grid-template-columns:1fr}}
.confusion{table-layout:fixed}
.confusion caption{caption-side:bottom;color:var(--muted);font-size:12.5px;padding-top:8px;text-align:left}
.confusion td{text-align:center;border:2px solid #fff;border-radius:6px;font-size:12.5px;padding:7px 2px}
.confusion td.inv{color:#fff}
.confusion th{border:0;padding:4px;font-size:11.5px;line-height:1.25;vertical-align:bottom}
.confusion tr:first-child th{text-align:center}
.confusion tr:first-child th span{writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap}
.confusion th:first-child{width:110px;vertical-align:middle}
.chart svg{display:block;width:100%;height:170px}
.chart rect{fill:#0969da}.chart line{stroke:var(--line);stroke-width:.4}
.axis{display:flex;justify-content:space-between;color:var(--muted);font-size:12.5px}
.list{margin:0;padding-left:18px}
.list li{margin:4px 0;overflow-wrap:anywhere}
code{background:#eff2f5;border-radius:4px;padding:1px 5px;font-size:12.5px}
.none{color:var(--muted);margin:6px 0}
footer{color:var(--muted);font-size:12.5px;overflow-wrap:anywhere}
@media print{body{background:#fff}section{break-inside:avoid}}
"""
