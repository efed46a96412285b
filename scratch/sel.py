import sys
exec(open("/tmp/w/sim.py").read().split('if __name__')[0])
from rag import drafting
def variations(s,ret,sys_,gold):
    e=Engine(upd(s,{"answer.sure":"1.0","answer.min_confidence":"0.0","answer.min_yes":"-20.0"}),ret,Cached())
    cur={}
    ob=drafting.Drafter._within_budget
    def wb(self,ev): r=ob(self,ev); cur['read']=r; return r
    drafting.Drafter._within_budget=wb
    oa=drafting._answered
    def an(first): cur['first']=dict(first); return oa(first)
    drafting._answered=an
    oc=grounding.check
    def check(answer,question,language,used,max_words):
        r=oc(answer,question,language,used,max_words); cur['a']=answer; cur['used']=used; cur['ok']=bool(r.text); return r
    grounding.check=check
    R=collections.defaultdict(list)
    for q in qs:
        cur.clear(); line=run.ask(e,q.question,q.context_turns)
        if not q.answerable or 'first' not in cur: continue
        d=run_qa.direction(q,gold[q.id],sys_.texts); g=gold[q.id]
        G=[any(f.doc==x[0] and f.start<x[2] and f.end>x[1] for x in g) for f in cur['read']]
        fp=[cur['first'].get(str(k+1),-15) for k in range(len(G))]; sc=[math.log(max(f.score,1e-4)) for f in cur['read']]
        lang=[f.language==q.language for f in cur['read']]
        l2=json.loads(json.dumps(line,default=str)); l2['answer']=cur.get('a',''); l2['citations']=[]; l2['abstained']=False
        o=run_qa.outcome(q,l2,g)
        if o=='right' and not cur.get('ok'): print('NOTOK',d,q.question[:70],'|',cur['a'],'|',[f.text[:120] for f in cur['used']])
        R[d].append((G,fp,sc,lang))
    import math as m
    for d,rows in R.items():
        n=len(rows); print(d,n,'gold in read %.2f'%(sum(any(r[0]) for r in rows)/n),'mean read %.1f'%(sum(len(r[0]) for r in rows)/n),end=' ')
        for w in (0,0.25,0.5,1,2,100):
            acc=sum(r[0][max(range(len(r[0])),key=lambda k:r[1][k]+w*r[2][k])] for r in rows)/n
            print('w%s %.2f'%(w,acc),end=' ')
        print()
    yield 1
import math
list(go(s))
