import json,sys,time
from rag import config, engine, prompts, llm, models
from rag.translating import Translator
from rag.retrieval import Found
try:
    from sacrebleu.metrics import CHRF
    score=lambda h,r: CHRF().corpus_score(h,[r]).score
except ImportError:
    import collections
    def score(h,r):
        P=[0]*6;H=[0]*6;R=[0]*6
        for a,b in zip(h,r):
            a=a.replace(" ","");b=b.replace(" ","")
            for n in range(6):
                x=collections.Counter(a[i:i+n+1] for i in range(len(a)-n)); y=collections.Counter(b[i:i+n+1] for i in range(len(b)-n))
                P[n]+=sum((x&y).values());H[n]+=sum(x.values());R[n]+=sum(y.values())
        f=[]
        for n in range(6):
            p=P[n]/max(1,H[n]);r_=P[n]/max(1,R[n]); f.append(0 if p+r_==0 else 5*p*r_/(4*p+r_))
        return 100*sum(f)/6
s=config.load(); m=engine.load_llm(s); rows=[json.loads(l) for l in open('/work/shared/data/parallel/dev.jsonl')]
N=int(sys.argv[1])
for a,b in (("ar","en"),("en","ar")):
    hs,rs,odds=[],[],[];held=[]
    tr=Translator(m,s)
    for r in rows[:N]:
        ms=prompts.translation(r[a],b); said=llm.whole(llm.stream(m,ms,60)).text.strip()
        o,_=llm.log_odds(m,prompts.checking(ms,said),"yes","no",60); hs.append(said);rs.append(r[b]);odds.append(o)
        from rag import grounding; from rag.language import detect
        held.append(detect(said)==b and grounding.is_readable(said,"",b,r[a]) and grounding.is_exact(said,r[a]) and grounding.is_exact(r[a],said))
    print(a,b,"chrF all %.1f"%score(hs,rs),"certain checks pass",sum(held)/len(held))
    for t in (-3,-2,-1,0,1,2):
        k=[i for i in range(len(hs)) if odds[i]>=t and held[i]]
        if k: print("  odds>=",t,"share %.2f chrF %.1f"%(len(k)/len(hs),score([hs[i] for i in k],[rs[i] for i in k])))
    for i in range(6): print("   ",round(odds[i],2),held[i],hs[i],"|",rs[i])
